"""Search over HTTP."""

import httpx
import pytest

from retinue.domain import ids
from tests.api.conftest import World, problem


async def test_messages_are_found_page_by_page(client: httpx.AsyncClient, world: World) -> None:
    channel = ids.encode("ch", world.made.channel.id)
    for text in ("a needle", "hay", "needle needle", "hay", "another needle"):
        await client.post(f"/v1/channels/{channel}/messages", json={"content": text})
    seen: list[str] = []
    query = {"q": "needle", "limit": "1", "neighbours": "1"}
    while True:
        page = (await client.get("/v1/search", params=query)).json()
        seen += [hit["message"]["content"] for hit in page["data"]]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert seen[0] == "needle needle"
    assert sorted(seen) == ["a needle", "another needle", "needle needle"]
    (hit,) = (await client.get("/v1/search", params={"q": '"a needle"', "channel_id": channel})).json()["data"]
    assert ([one["content"] for one in hit["after"]], hit["channel_name"]) == (["hay"], world.made.channel.name)
    assert {"text": "needle", "match": True} in hit["snippet"]
    mine = {"q": "needle", "user_id": ids.encode("usr", world.owner.user_id)}
    assert len((await client.get("/v1/search", params=mine)).json()["data"]) == 3
    agents = {"q": "needle", "agent_id": ids.encode("agt", world.made.agent.id)}
    assert (await client.get("/v1/search", params=agents)).json()["data"] == []


@pytest.mark.parametrize(
    "query",
    [{}, {"q": " "}, {"q": "x", "after": "nonsense"}, {"q": "x", "after": "WzFd"}, {"q": "x", "after": "WyJhIiwiYiJd"},
     {"q": "x", "neighbours": "11"}, {"q": "x", "channel_id": "ch_1"}],
)  # fmt: skip
async def test_a_wrong_query_is_refused(client: httpx.AsyncClient, query: dict[str, str]) -> None:
    problem(await client.get("/v1/search", params=query), 422, "invalid_input")


async def test_a_channel_that_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    query = {"q": "x", "channel_id": ids.encode("ch", ids.new())}
    problem(await client.get("/v1/search", params=query), 404, "not_found")
