"""Files over HTTP: uploaded, put into messages, read by who may, and nothing a browser would run."""

import io
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image

from retinue.api import routes
from retinue.api.deps import AppState
from retinue.db.pool import Database
from retinue.domain import files as rules
from retinue.domain import ids
from retinue.domain.accounts import Role
from tests.api.conftest import Stranger, World, as_client, make_key, make_user, problem


def png(width: int = 40, height: int = 30, colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()


async def upload(client: httpx.AsyncClient, name: str, data: bytes, **headers: str) -> httpx.Response:
    return await client.post("/v1/files", files={"file": (name, data, "text/html")}, headers=headers)


async def kept(client: httpx.AsyncClient, name: str, data: bytes) -> dict[str, Any]:
    answer = await upload(client, name, data)
    assert answer.status_code == 201, answer.text
    return answer.json()


def channel_of(world: World) -> str:
    return ids.encode("ch", world.made.channel.id)


async def post(client: httpx.AsyncClient, channel: str, **body: Any) -> httpx.Response:
    return await client.post(f"/v1/channels/{channel}/messages", json={"content": ""} | body)


async def test_a_picture_is_known_by_its_bytes_and_gets_a_preview(client: httpx.AsyncClient) -> None:
    file = await kept(client, "holiday.txt", png(1000, 500))
    assert (file["media_type"], file["width"], file["height"]) == ("image/png", 1000, 500)
    assert file["name"] == "holiday.txt"
    content = await client.get(file["url"])
    assert content.content == png(1000, 500)
    assert content.headers["content-type"] == "image/png"
    assert content.headers["content-disposition"].startswith("inline")
    small = await client.get(file["preview_url"])
    with Image.open(io.BytesIO(small.content)) as image:
        assert (image.format, image.size) == ("WEBP", (640, 320))


async def test_a_file_in_a_message_is_listed_with_it_and_read_by_the_channels_people_only(
    app: FastAPI, db: Database, world: World, client: httpx.AsyncClient, stranger: Stranger
) -> None:
    _, colleague = await make_user(db, world, Role.MEMBER)
    key = await make_key(db, colleague)
    file = await kept(client, "notes.md", b"# Notes\n")
    async with as_client(app, key.secret) as other:
        for path in ("", "/content"):
            problem(await other.get(f"/v1/files/{file['id']}{path}"), 404, "not_found")
        posted = await post(client, channel_of(world), content="", files=[file["id"]])
        assert posted.status_code == 202, posted.text
        assert posted.json()["message"]["files"] == [file]
        listed = (await other.get(f"/v1/channels/{channel_of(world)}/messages")).json()["data"]
        assert listed[0]["files"] == [file]
        assert (await other.get(file["url"])).content == b"# Notes\n"
    problem(await stranger.client.get(file["url"]), 404, "not_found")


async def test_who_uploaded_a_file_reads_it_also_before_and_after(client: httpx.AsyncClient, world: World) -> None:
    file = await kept(client, "a.txt", b"mine")
    assert (await client.get(f"/v1/files/{file['id']}")).json() == file
    posted = await post(client, channel_of(world), files=[file["id"]])
    problem(await client.delete(f"/v1/files/{file['id']}"), 409, "wrong_state")
    message = posted.json()["message"]["id"]
    await client.delete(f"/v1/channels/{channel_of(world)}/messages/{message}")
    assert (await client.get(file["url"])).status_code == 200


async def test_a_deleted_messages_files_are_nobody_elses_any_more(
    app: FastAPI, db: Database, world: World, client: httpx.AsyncClient
) -> None:
    _, admin = await make_user(db, world, Role.ADMIN)
    key = await make_key(db, admin)
    file = await kept(client, "a.txt", b"mine")
    posted = (await post(client, channel_of(world), files=[file["id"]])).json()["message"]
    async with as_client(app, key.secret) as other:
        assert (await other.get(file["url"])).status_code == 200
        await client.delete(f"/v1/channels/{channel_of(world)}/messages/{posted['id']}")
        problem(await other.get(file["url"]), 404, "not_found")
        listed = (await other.get(f"/v1/channels/{channel_of(world)}/messages")).json()["data"]
        assert listed[0]["files"] == []


async def test_a_private_channels_file_is_for_its_people(
    app: FastAPI, db: Database, world: World, client: httpx.AsyncClient
) -> None:
    _, admin = await make_user(db, world, Role.ADMIN)
    key = await make_key(db, admin)
    file = await kept(client, "a.txt", b"mine")
    await post(client, ids.encode("ch", world.made.private_channel.id), files=[file["id"]])
    async with as_client(app, key.secret) as other:
        for path in ("", "/content", "/preview"):
            problem(await other.get(f"/v1/files/{file['id']}{path}"), 404, "not_found")
        problem(await other.delete(f"/v1/files/{file['id']}"), 404, "not_found")
        problem(await post(other, channel_of(world), files=[file["id"]]), 404, "not_found")


async def test_a_message_with_neither_text_nor_file_is_refused(client: httpx.AsyncClient, world: World) -> None:
    problem(await post(client, channel_of(world), content=""), 422, "invalid_input")
    problem(await post(client, channel_of(world), files=["file_x"]), 422, "invalid_input")
    many = [ids.encode("file", ids.new()) for _ in range(11)]
    problem(await post(client, channel_of(world), files=many), 422, "invalid_input")


# ── what a browser gets ──────────────────────────────────────────────────────────────────────────────────────────

EVIL = b"<script>fetch('/v1/me')</script>"
JUMBLED = png()[:8] + EVIL
PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
SERVED = {
    "page.html": (b"<!doctype html>" + EVIL, "text/html", "application/octet-stream", "attachment"),
    "page.txt": (b" \n<html>" + EVIL, "text/html", "application/octet-stream", "attachment"),
    "x.svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml", "application/octet-stream", "attachment"),
    "x.png": (b"<?xml version='1.0'?><!-- a --><svg/>", "image/svg+xml", "application/octet-stream", "attachment"),
    "x.xml": (b"<?xml version='1.0'?><a/>", "application/xml", "application/octet-stream", "attachment"),
    "x.html": (b"just words", "text/html", "application/octet-stream", "attachment"),
    "polyglot.gif": (b"GIF89a\xff/*" + EVIL, "image/gif", "application/octet-stream", "attachment"),
    "polyglot.js": (b"GIF89a/*" + EVIL, "text/plain", "text/plain; charset=utf-8", "inline"),
    "jumbled.png": (JUMBLED, "image/png", "application/octet-stream", "attachment"),
    "real.png": (png() + EVIL, "image/png", "image/png", "inline"),
    "x.js": (b"alert(1)", "text/plain", "text/plain; charset=utf-8", "inline"),
    "x.csv": (b"a,b\n1,2\n", "text/csv", "text/plain; charset=utf-8", "inline"),
    "x.json": (b'{"a": "<script>"}', "application/json", "text/plain; charset=utf-8", "inline"),
    "x.pdf": (PDF, "application/pdf", "application/pdf", "inline"),
    "x.zip": (b"PK\x03\x04\xff\xfe", "application/zip", "application/octet-stream", "attachment"),
}


@pytest.mark.parametrize("name", SERVED)
async def test_no_file_is_served_as_something_a_browser_runs(client: httpx.AsyncClient, name: str) -> None:
    data, known_as, served_as, how = SERVED[name]
    file = await kept(client, name, data)
    assert file["media_type"] == known_as
    answer = await client.get(file["url"])
    assert answer.content == data
    assert answer.headers["content-type"] == served_as
    assert answer.headers["content-disposition"].startswith(f"{how};")
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy or known_as == "application/pdf"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("sent", "kept_as"),
    [
        ("../../etc/passwd", "passwd"), ("C:\\Users\\me\\a b.txt", "a b.txt"), ("..", "file"), ("", "file"),
        ("a\x00b\r\nSet-Cookie: x.txt", "abSet-Cookie: x.txt"), ("\u202egpj.exe\u202c.txt", "gpj.exe.txt"),
        ("Zürich – «Plan».md", "Zürich – «Plan».md"), ("x" * 300 + ".txt", "x" * 196 + ".txt"),
        (".htaccess", "htaccess"),
    ],
)  # fmt: skip
def test_a_name_is_only_a_name(sent: str, kept_as: str) -> None:
    assert rules.clean_name(sent) == kept_as


async def test_the_name_comes_back_in_both_notations(client: httpx.AsyncClient) -> None:
    file = await kept(client, 'Zürich "1".txt', b"x")
    header = (await client.get(file["url"])).headers["content-disposition"]
    assert header.endswith("; filename*=UTF-8''Z%C3%BCrich%20%221%22.txt")
    assert header.startswith('inline; filename="Z_rich _1_.txt"')


# ── caching and ranges ───────────────────────────────────────────────────────────────────────────────────────────

DATA = bytes(range(256)) * 2000


@pytest.mark.parametrize(
    ("header", "status", "start", "end"),
    [
        ("bytes=0-9", 206, 0, 10), ("bytes=10-", 206, 10, None), ("bytes=-5", 206, -5, None),
        ("bytes=300000-300000", 206, 300000, 300001), ("bytes=5-99999999", 206, 5, None),
        ("bytes=-99999999", 206, 0, None), ("bytes=9-5", 200, 0, None), ("bytes=0-1,3-4", 200, 0, None),
        ("lines=1-2", 200, 0, None), ("bytes=-", 200, 0, None),
    ],
)  # fmt: skip
async def test_a_range_is_answered_exactly(
    client: httpx.AsyncClient, header: str, status: int, start: int, end: int | None
) -> None:
    file = await kept(client, "x.zip", b"PK\x03\x04" + DATA)
    answer = await client.get(file["url"], headers={"range": header})
    wanted = (b"PK\x03\x04" + DATA)[start:end]
    assert (answer.status_code, answer.content == wanted) == (status, True)
    assert answer.headers["content-length"] == str(len(wanted))
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize("header", ["bytes=512004-", "bytes=-0", "bytes=999999999-9999999999"])
async def test_a_range_behind_the_end_is_416_and_says_how_long_the_file_is(
    client: httpx.AsyncClient, header: str
) -> None:
    file = await kept(client, "x.zip", b"PK\x03\x04" + DATA)
    answer = await client.get(file["url"], headers={"range": header})
    problem(answer, 416, "range_not_satisfiable")
    assert answer.headers["content-range"] == "bytes */512004"


async def test_what_the_browser_has_is_not_sent_again(client: httpx.AsyncClient) -> None:
    file = await kept(client, "x.txt", b"0123456789")
    etag = (await client.get(file["url"])).headers["etag"]
    again = await client.get(file["url"], headers={"if-none-match": f'"other", W/{etag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    part = await client.get(file["url"], headers={"range": "bytes=0-1", "if-range": '"other"'})
    assert (part.status_code, part.content) == (200, b"0123456789")
    part = await client.get(file["url"], headers={"range": "bytes=0-1", "if-range": etag})
    assert (part.status_code, part.content) == (206, b"01")


# ── what is not taken ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("data", [b"MZ\x90\x00\xff", b"\x7fELF\x02\xff", b"\x00\x01\x02", b"RIFF\x00\x00\x00\xffABCD"])
async def test_what_is_no_known_kind_is_refused_whatever_it_is_called(client: httpx.AsyncClient, data: bytes) -> None:
    body = problem(await upload(client, "picture.png", data), 415, "file_type_refused")
    assert "application/octet-stream" in str(body["detail"])


async def test_a_picture_that_would_unfold_into_a_burden_is_refused(client: httpx.AsyncClient) -> None:
    header = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (60_000).to_bytes(4) * 2 + b"\x08\x02\x00\x00\x00"
    bomb = header + zlib.crc32(header[12:]).to_bytes(4) + b"\x00\x00\x00\x00IDAT" + zlib.crc32(b"IDAT").to_bytes(4)
    problem(await upload(client, "bomb.png", bomb), 415, "file_type_refused")


async def test_a_picture_turned_by_its_camera_is_measured_as_it_is_shown(client: httpx.AsyncClient) -> None:
    image, out = Image.new("RGB", (60, 20)), io.BytesIO()
    exif = image.getexif()
    exif[0x0112] = 6
    exif[0x010F] = "Camera of somebody"
    image.save(out, "JPEG", exif=exif)
    file = await kept(client, "x.jpg", out.getvalue())
    assert (file["width"], file["height"]) == (20, 60)
    small = (await client.get(file["preview_url"])).content
    assert b"Camera" not in small
    with Image.open(io.BytesIO(small)) as preview:
        assert preview.size == (20, 60)


BOUNDARY = "x"
HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{}", 422), ("multipart/form-data", b"", 422),
        ("multipart/form-data; boundary=x", b"", 422),
        ("multipart/form-data; boundary=x", b"nonsense", 400),
        ("multipart/form-data; boundary=x", HEAD + b"cut off", 400),
        ("multipart/form-data; boundary=x", HEAD + b"a\r\n" + HEAD + b"b\r\n--x--\r\n", 422),
        ("multipart/form-data; boundary=x", HEAD.replace(b'"file"', b'"else"') + b"a\r\n--x--\r\n", 422),
        ("multipart/form-data; boundary=x", HEAD.replace(b'; filename="a.txt"', b"") + b"a\r\n--x--\r\n", 422),
        ("multipart/form-data; boundary=x", HEAD + b"fine\r\n--x--\r\n", 201),
        ("multipart/form-data; boundary=x", HEAD.replace(b'"else"', b"x") + b"\r\n--x--\r\nafter", 201),
    ],
)  # fmt: skip
async def test_a_form_that_is_not_one_file_is_refused_in_words(
    client: httpx.AsyncClient, kind: str, body: bytes, status: int
) -> None:
    answer = await client.post("/v1/files", content=body, headers={"content-type": kind})
    assert answer.status_code == status, answer.text


async def test_the_same_key_finds_the_same_file_and_another_file_is_a_mismatch(client: httpx.AsyncClient) -> None:
    first = await upload(client, "a.txt", b"one", **{"idempotency-key": "k"})
    again = await upload(client, "a.txt", b"one", **{"idempotency-key": "k"})
    assert (again.status_code, again.json()) == (201, first.json())
    other = await upload(client, "a.txt", b"two", **{"idempotency-key": "k"})
    problem(other, 409, "idempotency_mismatch")
    problem(await upload(client, "a.txt", b"one", **{"idempotency-key": "x" * 256}), 422, "invalid_input")


async def test_one_file_may_be_larger_than_any_other_request_but_not_than_its_own_limit(
    state: AppState, world: World
) -> None:
    state.settings = state.settings.model_copy(update={"max_file_bytes": 500_000})
    async with as_client(routes.create(state), world.key) as client:
        assert (await kept(client, "a.zip", b"PK\x03\x04\xff" + bytes(499_000)))["bytes"] == 499_005
        problem(await upload(client, "a.zip", b"PK\x03\x04\xff" + bytes(500_000)), 413, "file_too_large")
        problem(await upload(client, "a.zip", b"PK\x03\x04\xff" + bytes(900_000)), 413, "file_too_large")

        async def chunks() -> AsyncIterator[bytes]:
            yield HEAD
            for _ in range(100):
                sent.append(1)
                yield bytes(100_000)

        sent: list[int] = []
        kind = {"content-type": "multipart/form-data; boundary=x"}
        problem(await client.post("/v1/files", content=chunks(), headers=kind), 413, "file_too_large")
        for path in ("/v1/files/", "/v1/files/x", "/v1/teams"):
            assert (await client.post(path, content=bytes(300_000))).status_code == 413, path


async def test_a_stranger_without_a_key_is_refused_before_a_byte_is_read(app: FastAPI) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        read.append(1)
        yield HEAD

    read: list[int] = []
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://retinue.test") as nobody:
        kind = {"content-type": "multipart/form-data; boundary=x"}
        problem(await nobody.post("/v1/files", content=chunks(), headers=kind), 401, "not_signed_in")
    assert not read


# ── where files are ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_admin_sees_where_files_are_and_everybody_what_is_taken(
    app: FastAPI, db: Database, world: World, client: httpx.AsyncClient
) -> None:
    await kept(client, "a.txt", b"12345")
    seen = (await client.get("/v1/storage")).json()
    assert (seen["kind"], seen["files"], seen["used_bytes"]) == ("database", 1, 5)
    assert seen["free_bytes"] == seen["limits"]["quota_bytes"] - 5
    assert (await client.post("/v1/storage/test")).json()["ok"]
    _, member = await make_user(db, world, Role.MEMBER)
    key = await make_key(db, member)
    async with as_client(app, key.secret) as other:
        assert (await other.get("/v1/storage/limits")).json() == seen["limits"]
        problem(await other.get("/v1/storage"), 403, "forbidden")
        problem(await other.post("/v1/storage/test"), 403, "forbidden")
