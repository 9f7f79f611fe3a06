"""The requirements manifest and the tests agree, both ways."""

import ast
from pathlib import Path

from tests import requirements
from tests.requirements import Manifest

MANIFEST = Manifest(
    {"DUR": {"DUR-01": "steps", "DUR-02": "kinds"}}, frozenset({"DUR"}), {"DUR-02": "later"}, {"DUR": 2, "CON": 1}
)


def test_every_cited_row_exists_and_every_row_of_a_finished_group_is_cited() -> None:
    found = requirements.problems(requirements.load(), requirements.cited())
    assert not found, "\n".join(found)


def test_an_unproved_row_of_a_finished_group_is_a_problem_unless_it_is_a_gap() -> None:
    assert requirements.problems(MANIFEST, {"DUR-01": ["a:1"], "CON-01": ["a:2"]}) == []
    assert requirements.problems(MANIFEST, {}) == ["DUR-01 is not proved: steps"]


def test_an_unknown_row_is_a_problem() -> None:
    for row in ("DUR-03", "DUR-00", "DUR-1", "XYZ-01", "DUR"):
        assert f"{row} is cited" in requirements.problems(MANIFEST, {"DUR-01": ["a:1"], row: ["a:1"]})[0]


def test_a_gap_that_is_proved_must_leave_the_list() -> None:
    assert "take it off the list" in requirements.problems(MANIFEST, {"DUR-01": ["a:1"], "DUR-02": ["a:9"]})[0]


def test_marks_are_read_without_running_the_tests() -> None:
    tree = ast.parse("import pytest\n@pytest.mark.requirement('DUR-01', 'DUR-02')\ndef test_x(): raise SystemExit")
    assert [row for row, _ in requirements.marks(tree)] == ["DUR-01", "DUR-02"]


def test_rows_are_found_in_this_tree() -> None:
    assert len(requirements.cited()) > 10
    assert Path(requirements.MANIFEST).exists()
