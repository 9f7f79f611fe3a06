"""Lists come in pages that lose and repeat nothing."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue import errors
from retinue.api import pages

VALUES = st.lists(st.one_of(st.integers(), st.text(), st.booleans(), st.none()), min_size=1, max_size=4)


@given(VALUES)
def test_a_cursor_gives_back_what_was_put_in(values: list[object]) -> None:
    assert list(pages.decode(pages.encode(values))) == values


@given(st.text(max_size=60))
def test_any_other_text_is_refused_as_input(text: str) -> None:
    try:
        values = pages.decode(text)
    except errors.BadInput:
        return
    assert values, "what decodes is a list of sort values"


@given(st.lists(st.integers(), unique=True, max_size=30), st.integers(1, 7))
def test_all_pages_together_are_the_list(rows: list[int], limit: int) -> None:
    rows = sorted(rows)
    seen: list[int] = []
    page = pages.PageRequest(limit)
    while True:
        start = rows.index(page.after[0]) + 1 if page.after else 0
        made = pages.make(rows[start : start + page.fetch], page, lambda row: [row])
        seen += made.data
        assert len(made.data) <= limit
        if made.next is None:
            break
        page = pages.PageRequest(limit, pages.decode(made.next))
    assert seen == rows


@pytest.mark.parametrize("after", [("x",), (1.5,), (True,), (-1,), (2**63,), (1, 2)])
def test_a_cursor_of_another_list_is_refused(after: tuple[object, ...]) -> None:
    request = pages.PageRequest(after=after)
    with pytest.raises(errors.BadInput):
        request.after_int()
    with pytest.raises(errors.BadInput):
        request.after_id()


async def test_a_list_is_read_page_by_page(client: httpx.AsyncClient) -> None:
    for number in range(5):
        made = await client.post("/v1/teams", json={"name": f"Team {number}", "slug": f"team-{number}"})
        assert made.status_code == 201
    slugs: list[str] = []
    after: dict[str, str] = {}
    for size in (2, 2, 1):
        body = (await client.get("/v1/teams", params={"limit": 2, **after})).json()
        assert len(body["data"]) == size
        slugs += [team["slug"] for team in body["data"]]
        after = {"after": body["next"]}
    assert body["next"] is None
    assert slugs == [f"team-{number}" for number in range(5)]
