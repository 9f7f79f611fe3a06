"""Which network addresses an outbound call may reach: pure decisions of the guard in ``tools.egress`` (TOOL-25)."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address

METADATA_HOSTS = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data"})
METADATA = (
    ip_network("169.254.0.0/16"),
    ip_network("fd00:ec2::254/128"),
    ip_network("100.100.100.200/32"),
    ip_network("fe80::/10"),
    ip_network("168.63.129.16/32"),
)
"""Cloud metadata and link-local: allowing a host by name does not open these, only naming the address does."""

FORBIDDEN = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "168.63.129.16/32",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",
        "::ffff:0:0/96",
        "::ffff:0:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
"""Private, loopback, link-local, CGNAT, documentation, multicast, reserved, and every way to write IPv4 in IPv6."""

_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)


def forbidden(address: Address) -> bool:
    """Whether this address is not a public one."""
    return not address.is_global or address.is_multicast or any(_within(address, network) for network in FORBIDDEN)


def _within(address: Address, network: IPv4Network | IPv6Network) -> bool:
    return address.version == network.version and address in network


def literal(host: str) -> Address | None:
    """The address a host name spells, if it is one in the usual notation. Raises ValueError for the odd ones.

    Odd: decimal (``2130706433``), octal (``0177.0.0.1``), hexadecimal, short (``127.1``), IPv6 with a zone.
    """
    bare = host.removeprefix("[").removesuffix("]")
    if "%" in bare:
        raise ValueError("an address with a zone")
    try:
        return ip_address(bare)
    except ValueError:
        labels = bare.rstrip(".").split(".")
        if ":" in bare or _NUMERIC.fullmatch(labels[-1]):
            raise ValueError("an address in an unusual notation") from None
        return None


@dataclass(frozen=True, slots=True)
class Allowed:
    """Private targets the operator has opened (``RETINUE_EGRESS_ALLOW``): hosts, host:port, addresses, networks."""

    hosts: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[tuple[IPv4Network | IPv6Network, int | None], ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Allowed":
        """``"crm.internal, 127.0.0.1:9000, 10.2.0.0/16, [fd00::1]:80"``. Raises ValueError naming the wrong entry."""
        hosts: set[tuple[str, int | None]] = set()
        networks: list[tuple[IPv4Network | IPv6Network, int | None]] = []
        for entry in filter(None, (part.strip() for part in text.split(","))):
            host, port = _split(entry)
            try:
                networks.append((ip_network(host), port))
            except ValueError:
                if "/" in host or ":" in host or not host:
                    raise ValueError(f"{entry!r} is not a host, host:port, address or network") from None
                hosts.add((host.lower().rstrip("."), port))
        return cls(frozenset(hosts), tuple(networks))

    def opens(self, host: str, address: Address, port: int) -> bool:
        """Whether the operator has opened this address, itself or through the host's name."""
        if any(_within(address, network) and allowed in (None, port) for network, allowed in self.networks):
            return True
        if any(_within(address, network) for network in METADATA):
            return False
        return bool({(host, port), (host, None)} & self.hosts)


def _split(entry: str) -> tuple[str, int | None]:
    if entry.startswith("["):
        host, _, port = entry[1:].partition("]")
        port = port.removeprefix(":")
    elif entry.count(":") == 1:
        host, _, port = entry.partition(":")
    else:
        return entry, None
    if port and not port.isdecimal():
        raise ValueError(f"{entry!r} has a port that is not a number")
    return host, int(port) if port else None


def objection(url: str) -> str | None:
    """Why this cannot be an endpoint's address, before its name is resolved; None when it can."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        unusual = host is not None and literal(host) is None and not host.isprintable()
    except ValueError as error:
        return f"is not a web address: {error}"
    if parts.scheme not in ("http", "https"):
        return "must begin with https:// or http://"
    if not host or unusual or any(char.isspace() or ord(char) < 32 for char in url):
        return "is not a web address"
    if parts.username is not None or parts.password is not None:
        return "must not carry a user name or password: name a secret in auth"
    if parts.fragment:
        return "must not have a fragment"
    return None
