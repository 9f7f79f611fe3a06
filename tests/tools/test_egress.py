"""The guarded client against real servers: nothing inside is reached, nothing hangs, nothing floods."""

import asyncio
import gzip
import ssl
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from retinue import errors
from retinue.tools import egress
from tests.tools.conftest import Seen, Server, client, http

Serve = Callable[..., Awaitable[Server]]
LOCAL = "127.0.0.1"


def get(url: str, **options: Any) -> egress.Request:
    return egress.Request("GET", url, options.pop("headers", {}), **options)


def resolving(*answers: list[str]) -> tuple[egress.Resolver, list[str]]:
    """A resolver that gives these answers one after another, the last one for ever; and what it was asked."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return resolve, asked


async def refused(made: egress.Client, url: str, **options: Any) -> errors.ToolRefused:
    with pytest.raises(errors.ToolRefused) as caught:
        await made.send(get(url, **options))
    return caught.value


@pytest.mark.requirement("TOOL-25")
@pytest.mark.parametrize("host", [
    "127.0.0.1", "localhost", "LOCALHOST", "localhost.", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]",
    "[::ffff:127.0.0.1]", "0", "１２７.0.0.1", "127。0。0。1", "[::]", "[64:ff9b::7f00:1]",
])  # fmt: skip
async def test_this_machine_is_not_reached_however_it_is_written(serve: Serve, host: str) -> None:
    server = await serve(http(body=b"inside"))
    async with client() as made:
        error = await refused(made, server.url(host=host))
    assert error.reason_code in ("egress_refused", "invalid_url")
    assert server.seen == []
    assert "127.0.0.1" not in error.detail


@pytest.mark.parametrize("url", [
    "ftp://example.com/", "file:///etc/passwd", "http://me:secret@example.com/", "http:///x", "unix:/x", "x" * 70000,
])  # fmt: skip
async def test_other_schemes_and_credentials_in_the_address_are_refused(url: str) -> None:
    async with client() as made:
        error = await refused(made, url)
    assert "secret" not in error.detail


async def test_a_target_the_operator_has_opened_is_reached(serve: Serve) -> None:
    server = await serve(http(body=b"hello", x_kind="local"))
    async with client(f"127.0.0.1:{server.port}") as made:
        answer = await made.send(get(server.url("/a?b=1"), headers={"x-a": "1"}))
    assert (answer.status, answer.content, answer.headers["x-kind"]) == (200, b"hello", "local")
    assert server.seen[0].path == "/a?b=1"
    assert server.seen[0].headers["host"] == f"127.0.0.1:{server.port}"


async def test_another_port_of_an_opened_host_stays_closed(serve: Serve) -> None:
    server = await serve(http())
    async with client(f"127.0.0.1:{server.port + 1}") as made:
        await refused(made, server.url())
    assert server.seen == []


@pytest.mark.requirement("TOOL-25")
@pytest.mark.parametrize("addresses", [
    ["127.0.0.1"], ["10.0.0.8"], ["93.184.216.34", "127.0.0.1"], ["::1"], ["169.254.169.254"], ["fd00:ec2::254"],
    ["fe80::1%eth0"], ["not an address"],
])  # fmt: skip
async def test_a_public_name_that_leads_inside_is_refused(addresses: list[str]) -> None:
    resolver, _ = resolving(addresses)
    async with client(resolver=resolver) as made:
        await refused(made, "http://evil.example/")


async def test_a_metadata_host_is_refused_by_name_whatever_it_resolves_to() -> None:
    resolver, _ = resolving(["93.184.216.34"])
    async with client(resolver=resolver) as made:
        await refused(made, "http://metadata.google.internal/computeMetadata/v1/")


@pytest.mark.requirement("TOOL-25")
async def test_rebinding_the_name_between_check_and_connection_changes_nothing(serve: Serve) -> None:
    """The name resolves once per connection, and the connection goes to the very address that was checked."""
    server = await serve(http(body=b"ok"))
    resolver, asked = resolving([LOCAL], ["10.0.0.1"])
    async with client("rebind.example", resolver=resolver) as made:
        answer = await made.send(get(server.url(host="rebind.example")))
    assert answer.content == b"ok"
    assert asked == ["rebind.example"]
    assert server.seen[0].headers["host"] == f"rebind.example:{server.port}"


async def test_a_name_that_turns_inside_later_is_refused_then(serve: Serve) -> None:
    server = await serve(http(body=b"ok"))
    resolver, _ = resolving([LOCAL], ["127.0.0.2"])
    async with client(f"127.0.0.1:{server.port}", resolver=resolver) as made:
        await made.send(get(server.url(host="rebind.example")))
        await refused(made, server.url(host="rebind.example"))
    assert len(server.seen) == 1


async def test_a_name_nobody_knows_is_unreachable_and_nothing_was_sent() -> None:
    async def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    async with client(resolver=unknown) as made:
        with pytest.raises(errors.ToolTransient) as caught:
            await made.send(get("http://nobody.example/"))
    assert (caught.value.reason_code, caught.value.data["sent"]) == ("unreachable", False)


async def test_a_second_address_is_tried_when_the_first_is_dead(serve: Serve) -> None:
    server = await serve(http(body=b"ok"))
    resolver, _ = resolving(["127.0.0.9", LOCAL])
    async with client("twice.example", resolver=resolver) as made:
        assert (await made.send(get(server.url(host="twice.example")))).content == b"ok"


# ── redirects ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("TOOL-25")
@pytest.mark.parametrize("target", [
    "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data", "http://localhost:1/", "file:///etc/passwd",
    "http://2130706433/", "//[::1]/", "http://u:p@127.0.0.1/",
])  # fmt: skip
async def test_a_redirect_inside_is_refused(serve: Serve, target: str) -> None:
    server = await serve(http(302, location=target))
    async with client(f"127.0.0.1:{server.port}") as made:
        error = await refused(made, server.url())
    assert error.data["sent"] is True


async def test_a_redirect_is_followed_and_loses_credentials_at_another_origin(serve: Serve) -> None:
    second = await serve(http(body=b"there"))
    first = await serve(http(302, location=second.url("/final")))
    async with client(LOCAL) as made:
        answer = await made.send(
            get(first.url(), headers={"authorization": "Bearer x", "x-api-key": "y", "accept": "a/b"})
        )
    assert (answer.content, answer.url) == (b"there", second.url("/final"))
    assert first.seen[0].headers["authorization"] == "Bearer x"
    assert not {"authorization", "x-api-key"} & set(second.seen[0].headers)
    assert second.seen[0].headers["accept"] == "a/b"


async def test_a_redirect_within_an_origin_keeps_credentials(serve: Serve) -> None:
    def answer(seen: Seen) -> bytes:
        return http(307, location="/b") if seen.path == "/a" else http(body=b"b")

    server = await serve(answer)
    async with client(LOCAL) as made:
        await made.send(egress.Request("POST", server.url("/a"), {"authorization": "Bearer x"}, b"body"))
    assert [(one.method, one.path, one.body) for one in server.seen] == [
        ("POST", "/a", b"body"),
        ("POST", "/b", b"body"),
    ]
    assert server.seen[1].headers["authorization"] == "Bearer x"


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_a_redirect_that_would_drop_the_body_of_a_post_is_refused(serve: Serve, status: int) -> None:
    server = await serve(http(status, location="/b"))
    async with client(LOCAL) as made:
        with pytest.raises(errors.ToolRefused):
            await made.send(egress.Request("POST", server.url("/a"), {}, b"body"))
    assert len(server.seen) == 1


async def test_redirects_without_end_are_stopped_after_three(serve: Serve) -> None:
    server = await serve(http(302, location="/again"))
    async with client(LOCAL) as made:
        await refused(made, server.url())
    assert len(server.seen) == 4


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("TOOL-25")
async def test_an_answer_over_the_limit_is_cut_off_while_it_still_comes(serve: Serve) -> None:
    written = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 X\r\nconnection: close\r\n\r\n")
        while written < 50_000_000:
            writer.write(b"x" * 65536)
            written += 65536
            await writer.drain()

    server = await serve(lambda _: flood)
    async with client(LOCAL, max_bytes=100_000) as made:
        with pytest.raises(errors.ToolError) as caught:
            await made.send(get(server.url()))
    assert caught.value.reason_code == "response_too_large"
    assert written < 20_000_000


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_bomb_does_not_unfold(serve: Serve, encoding: str) -> None:
    zeros = bytes(200_000_000)
    packed = gzip.compress(zeros, 9) if encoding == "gzip" else zlib.compress(zeros, 9)
    del zeros
    server = await serve(http(body=packed, content_encoding=encoding))
    async with client(LOCAL, max_bytes=1_000_000) as made:
        tracemalloc.start()
        try:
            with pytest.raises(errors.ToolError) as caught:
                await made.send(get(server.url()))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert caught.value.reason_code == "response_too_large"
    assert peak < 10_000_000


async def test_a_packed_answer_within_the_limit_is_unpacked(serve: Serve) -> None:
    server = await serve(http(body=gzip.compress(b"words" * 1000), content_encoding="gzip"))
    async with client(LOCAL) as made:
        assert (await made.send(get(server.url()))).content == b"words" * 1000


@pytest.mark.parametrize(("encoding", "body"), [("br", b"x"), ("gzip", b"not gzip"), ("gzip, gzip", b"x")])
async def test_a_packing_that_cannot_be_read_is_an_error(serve: Serve, encoding: str, body: bytes) -> None:
    server = await serve(http(body=body, content_encoding=encoding))
    async with client(LOCAL) as made:
        with pytest.raises(errors.ToolError) as caught:
            await made.send(get(server.url()))
    assert caught.value.reason_code == "bad_response"


async def _silent(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def _dripping(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 X\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("answer", [_silent, _dripping], ids=["silent", "dripping"])
async def test_the_whole_call_is_bounded_in_time(serve: Serve, answer: Any) -> None:
    server = await serve(lambda _: answer)
    async with client(LOCAL) as made:
        with pytest.raises(errors.ToolTransient) as caught:
            await made.send(get(server.url(), timeout=0.3))
    assert (caught.value.reason_code, caught.value.data["sent"]) == ("timeout", True)


@pytest.mark.parametrize("answer", [None, b"HTTP/1.1 200 X\r\ncontent-length: 99\r\n\r\nshort", b"nonsense\r\n\r\n"])
async def test_a_connection_that_breaks_after_sending_says_so(serve: Serve, answer: bytes | None) -> None:
    server = await serve(lambda _: answer)
    async with client(LOCAL) as made:
        with pytest.raises(errors.ToolTransient) as caught:
            await made.send(get(server.url()))
    assert (caught.value.reason_code, caught.value.data["sent"]) == ("connection_lost", True)


async def test_a_refused_connection_has_sent_nothing(serve: Serve) -> None:
    async with client(LOCAL) as made:
        with pytest.raises(errors.ToolTransient) as caught:
            await made.send(get("http://127.0.0.1:1/"))
    assert (caught.value.reason_code, caught.value.data["sent"]) == ("unreachable", False)


async def test_no_proxy_of_the_environment_is_used(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = await serve(http(body=b"proxied"))
    server = await serve(http(body=b"direct"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url())
    async with client(LOCAL) as made:
        assert (await made.send(get(server.url()))).content == b"direct"
    assert proxy.seen == []


async def test_no_cookie_is_kept_between_calls(serve: Serve) -> None:
    server = await serve(http(body=b"x", set_cookie="session=someone-elses; Path=/"))
    async with client(LOCAL) as made:
        await made.send(get(server.url()))
        await made.send(get(server.url()))
    assert all("cookie" not in one.headers for one in server.seen)


def test_an_allow_list_that_cannot_be_read_stops_the_start() -> None:
    with pytest.raises(errors.Misconfigured, match="RETINUE_EGRESS_ALLOW"):
        egress.Client("10.0.0.0/99")


# ── TLS ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_tls_checks_the_name_and_not_the_address(serve: Serve, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(cert, key)
    server = await serve(http(body=b"safe"), theirs)
    resolver, _ = resolving([LOCAL])
    ours = ssl.create_default_context(cafile=str(cert))
    async with client("good.example, bad.example", resolver=resolver, verify=ours) as made:
        assert (await made.send(get(f"https://good.example:{server.port}/"))).content == b"safe"
        with pytest.raises(errors.ToolTransient) as caught:
            await made.send(get(f"https://bad.example:{server.port}/"))
    assert caught.value.data["sent"] is False


async def test_a_redirect_from_https_to_http_is_refused(serve: Serve, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(cert, key)
    server = await serve(http(302, location="http://good.example/"), theirs)
    resolver, _ = resolving([LOCAL])
    ours = ssl.create_default_context(cafile=str(cert))
    async with client("good.example", resolver=resolver, verify=ours) as made:
        await refused(made, f"https://good.example:{server.port}/")
