"""Exports: Markdown that says only what it says, JSON that is whole."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinue.domain import exports
from retinue.domain.exports import Entry, JsonWriter, MarkdownWriter, Title, Writer

AT = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
TITLE = Title(kind="channel", name="Gen *eral*", about={"id": "ch_1"}, exported_by="Ann", exported_at=AT)
LINES = st.lists(
    st.sampled_from(
        ["```", "~~~", "  ```", "````", "``` x", "```a`b", "- a", "<b>", "<!--", "> q", "    x", "# h", "", "`"]
    )
    | st.text(alphabet="<>`~ -#\r\n\t\u2028\x0bax", max_size=6),
    max_size=12,
)  # fmt: skip


def entry(place: int = 1, text: str = "", **fields: object) -> Entry:
    return Entry.model_validate({"place": place, "author": "Ann", "at": AT, "text": text, **fields})


def written(writer: Writer, *pages: list[Entry]) -> str:
    return "".join([writer.head(TITLE), *(writer.entries(page) for page in pages), writer.tail()])


def test_markdown_reads_as_a_conversation() -> None:
    pages = [
        [entry(1, "Hello **you**\n\n- a\n- b", notes=("edited", "👍 2"))],
        [
            entry(2, author="Bob_1", notes=("reply to #1",), attached=("x <y>.png",)),
            entry(3, code=(("Called search", '{"q": "```"}'),), at=datetime(2026, 3, 5, tzinfo=UTC)),
        ],
    ]
    assert written(MarkdownWriter(), *pages) == (
        "# Gen \\*eral\\*\n\nExported 2026-03-04 05:06 UTC by Ann.\n"
        "\n## 2026-03-04\n"
        "\n**Ann** · 05:06 · #1 · edited · 👍 2\n"
        "\n> Hello **you**\n>\n> - a\n> - b\n"
        "\n**Bob\\_1** · 05:06 · #2 · reply to \\#1\n"
        "\nAttached: x \\<y\\>\\.png\n"
        "\n## 2026-03-05\n"
        "\n**Ann** · 00:00 · #3\n"
        "\nCalled search\n\n"
        '> ````\n> {"q": "```"}\n> ````\n'
    )


@given(LINES)
def test_every_line_of_what_was_said_is_quoted_and_no_tag_opens_outside_a_fence(lines: list[str]) -> None:
    made = exports.quoted("\n".join(lines)).split("\n")
    assert all(line.startswith(">") and "\r" not in line for line in made)
    fence = ""
    for line in (one[1:].removeprefix(" ") for one in made):
        # CommonMark's own rule for fences at the margin: what is within is text, whatever it is
        mark = line[: len(line) - len(line.lstrip(line[:1] or "x"))] if line[:1] in ("`", "~") else ""
        bare = line.strip(" ")
        if fence:
            if len(line) - len(line.lstrip(" ")) <= 3 and bare.startswith(fence) and not bare.strip(fence[0]):
                fence = ""
        elif len(mark) >= 3 and not (mark[0] == "`" and "`" in line[len(mark) :]):
            fence = mark
        else:
            assert not any(f"<{sign}" in line for sign in "abx!/?"), line


@pytest.mark.parametrize("text", ["- a\n  ```\n<script>", "> ```\n<script>", "    ```\n<script>", "```a`b\n<script>"])
def test_what_may_be_no_fence_protects_no_tag(text: str) -> None:
    assert "&lt;script>" in exports.quoted(text)


def test_a_tag_within_a_fence_stays_readable() -> None:
    assert exports.quoted("```html\n<b>\n```\n<b>") == "> ```html\n> <b>\n> ```\n> &lt;b>"


@given(st.text())
def test_a_plain_text_is_one_line_without_marks(text: str) -> None:
    made = exports.plain(text)
    assert len(made.splitlines()) <= 1
    assert not any(char in made.replace("\\\\", "").replace(f"\\{char}", "") for char in "*_`<>[]#|")


@given(st.text())
def test_a_fence_is_longer_than_what_it_holds(code: str) -> None:
    fence = exports.fenced(code).partition("\n")[0]
    assert fence not in code


@given(st.lists(st.lists(st.text(max_size=5), max_size=3), max_size=4))
def test_json_is_whole_however_it_is_cut_into_pages(pages: list[list[str]]) -> None:
    whole = json.loads(written(JsonWriter(), *[[entry(data={"content": text}) for text in page] for page in pages]))
    assert [one["content"] for one in whole["messages"]] == [text for page in pages for text in page]
    assert (whole["kind"], whole["channel"], whole["exported_by"]) == ("channel", {"id": "ch_1"}, "Ann")


@pytest.mark.parametrize(("name", "form", "expected"), [
    ("Général, \"x\"\r\n", "markdown", "general-x-2026-03-04.md"), ("李雷", "json", "channel-2026-03-04.json"),
])  # fmt: skip
def test_a_file_name_is_plain_ascii(name: str, form: exports.Format, expected: str) -> None:
    assert TITLE.model_copy(update={"name": name}).filename(form) == expected
