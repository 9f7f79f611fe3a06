"""What the documents say is so: settings, links, commands, decisions."""

import re
from pathlib import Path

import pytest

from retinue.settings import Settings
from tests.contracts import settings_page

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)(#[^)\s]*)?\)")
DECISION_PARTS = ("## Context", "## Decision", "## Consequences", "## Alternatives", "## In the code")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_every_setting_says_what_it_means() -> None:
    assert set(settings_page.docstrings()) >= set(Settings.model_fields)


def test_the_documented_settings_are_those_of_the_code() -> None:
    text = settings_page.DOCUMENT.read_text()
    assert text == settings_page.page(text), "Run `python -m tests.contracts.settings_page` and commit the page."


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    targets = [found[0] for found in LINK.findall(page.read_text()) if not found[0].startswith(("http:", "https:"))]
    assert not [target for target in targets if not (page.parent / target).exists()]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_make_target_and_setting_that_is_named_exists(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)`", text)) <= targets
    named = {word.removeprefix("RETINUE_").lower() for word in re.findall(r"RETINUE_[A-Z_]+[A-Z]", text)}
    assert named - {"url", "api_key", "retention", "test_database_url"} <= set(Settings.model_fields)


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "decisions").glob("0*.md")), ids=name)
def test_a_decision_says_why_and_where(page: Path) -> None:
    text = page.read_text()
    assert re.match(r"\d{4}-[a-z-]+\.md$", page.name)
    assert text.startswith(f"# {page.name[:4]} ")
    assert all(part in text for part in DECISION_PARTS)


def test_every_file_that_an_invariant_or_a_decision_names_exists() -> None:
    pages = [
        ROOT / "docs" / "invariants.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs" / "decisions").glob("*.md"),
        ROOT / "ARCHITECTURE.md",
    ]
    named = {
        found
        for page in pages
        for found in re.findall(r"`((?:src|tests|docs|bench|examples)/[\w./-]+)`", page.read_text())
    }
    assert named
    assert not [path for path in named if not (ROOT / path).exists()]


def test_every_proof_that_an_invariant_names_exists() -> None:
    proofs = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", (ROOT / "docs" / "invariants.md").read_text())
    assert len(proofs) > 10
    assert not [f"{path}::{test}" for path, test in proofs if f"def {test}(" not in (ROOT / path).read_text()]
