"""Which addresses the guard lets through."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue.domain import addresses
from retinue.domain.addresses import Allowed

INSIDE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "2001::1",
    "2001:db8::1",
    "100::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "3fff::1",
    "5f00::1",
]
OUTSIDE = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "2a00:1450::1"]


@pytest.mark.requirement("TOOL-25")
@pytest.mark.parametrize("text", INSIDE)
def test_an_address_that_is_not_public_is_forbidden(text: str) -> None:
    assert addresses.forbidden(ip_address(text))


@pytest.mark.parametrize("text", OUTSIDE)
def test_a_public_address_is_not_forbidden(text: str) -> None:
    assert not addresses.forbidden(ip_address(text))


@given(st.ip_addresses(v=4))
def test_no_way_to_write_ipv4_in_ipv6_gets_through(address: IPv4Address) -> None:
    number = int(address)
    for prefix in (0, 0xFFFF << 32, 0xFFFF << 48, 0x64FF9B << 96, (0x2002 << 112)):
        written = prefix | (number << 80 if prefix == 0x2002 << 112 else number)
        assert addresses.forbidden(IPv6Address(written))


@pytest.mark.parametrize("host", [
    "2130706433", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "127.1", "127.0.1", "127.0.0.1.", "0", "1.2.3.4.5",
    "[fe80::1%eth0]", "fe80::1%25eth0", "::1::", "010.0.0.1", "256.1.1.1", "example.0x1",
])  # fmt: skip
@pytest.mark.requirement("TOOL-25")
def test_an_odd_notation_of_an_address_is_refused(host: str) -> None:
    with pytest.raises(ValueError):
        addresses.literal(host)


@pytest.mark.parametrize(("host", "address"), [
    ("127.0.0.1", "127.0.0.1"), ("[::1]", "::1"), ("2606:4700::1", "2606:4700::1"), ("example.com", None),
    ("crm.internal.", None), ("a1.b2", None), ("localhost", None),
])  # fmt: skip
def test_a_usual_notation_is_read(host: str, address: str | None) -> None:
    assert addresses.literal(host) == (ip_address(address) if address else None)


def test_the_operator_opens_hosts_ports_and_networks() -> None:
    allowed = Allowed.parse("crm.internal, db.internal:5000, 10.2.0.0/16, 127.0.0.1:9000, [fd00::1]:80, fd01::/64")
    inside = ip_address("10.9.9.9")
    assert allowed.opens("crm.internal", inside, 443)
    assert allowed.opens("db.internal", inside, 5000)
    assert not allowed.opens("db.internal", inside, 5001)
    assert allowed.opens("any.thing", ip_address("10.2.3.4"), 1)
    assert allowed.opens("127.0.0.1", ip_address("127.0.0.1"), 9000)
    assert not allowed.opens("127.0.0.1", ip_address("127.0.0.1"), 9001)
    assert allowed.opens("x", ip_address("fd00::1"), 80)
    assert allowed.opens("x", ip_address("fd01::5"), 81)
    assert not allowed.opens("evil.example", inside, 443)


def test_opening_a_host_by_name_does_not_open_metadata_services() -> None:
    allowed = Allowed.parse("crm.internal")
    assert not allowed.opens("crm.internal", ip_address("169.254.169.254"), 80)
    assert not allowed.opens("crm.internal", ip_address("fd00:ec2::254"), 80)
    assert Allowed.parse("169.254.169.254").opens("crm.internal", ip_address("169.254.169.254"), 80)


@pytest.mark.parametrize("text", ["10.0.0.0/99", "host:port", "a/b", "::zz"])
def test_an_allow_list_that_cannot_be_read_is_said_to_be_so(text: str) -> None:
    with pytest.raises(ValueError):
        Allowed.parse(text)


@pytest.mark.parametrize("url", [
    "ftp://example.com/", "file:///etc/passwd", "http://user:pass@example.com/", "http://user@example.com", "http://",
    "http://2130706433/", "http://[fe80::1%25eth0]/", "example.com", "http://a b.com/", "http://example.com/#part",
    "http://example.com:99999/", "http://[::1/", "http://exa\nmple.com", "gopher://x", "",
])  # fmt: skip
def test_an_endpoint_that_could_never_be_called_is_refused_at_once(url: str) -> None:
    assert addresses.objection(url)


@pytest.mark.parametrize("url", ["https://example.com/x?y=1", "http://127.0.0.1:9000/", "https://[2606:4700::1]/"])
def test_an_endpoint_that_can_be_called_is_not_refused(url: str) -> None:
    assert addresses.objection(url) is None
