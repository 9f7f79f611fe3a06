"""Files over HTTP: uploaded, put into messages, read by who may, and nothing a browser would run."""

import io
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image

from retinue.db.pool import Database
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
    return await client.post(f"/v1/channels/{channel}/messages", json=body)


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
