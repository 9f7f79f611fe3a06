"""docs/policies.md says what is so: its policies and tests can be read, every type of rule is there, commands exist."""

import re
from pathlib import Path
from typing import Any
from uuid import UUID

from typer.main import get_command
from typer.testing import CliRunner

from retinue.cli import policy, policy_files
from retinue.domain import ids, policy_documents
from retinue.domain.explaining import PolicyTests
from retinue.domain.policy_documents import PREFIX, Noun, PolicySet
from retinue.domain.rule_base import RuleType

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "policies.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def read(text: str, folder: Path) -> Any:
    file = folder / "block.yaml"
    file.write_text(text)
    return policy_files.read(file)


def test_its_policies_can_be_read_and_show_each_type_of_rule(tmp_path: Path) -> None:
    wanted = PolicySet.model_validate(read(BLOCKS[0], tmp_path))
    assert {one.type for one in wanted.policies} == set(RuleType)
    for document in wanted.policies:
        named: dict[tuple[Noun, str], str] = {
            (one.noun, one.text): ids.encode(PREFIX[one.noun], UUID(int=1))
            for one in policy_documents.references(document.rule)
        }
        rule, wrong = policy_documents.parsed(document, named)
        assert rule is not None, (document.name, wrong)


def test_its_tests_can_be_read(tmp_path: Path) -> None:
    found = read(BLOCKS[1], tmp_path)
    assert found.pop("policies") == "policies.yaml"
    assert len(PolicyTests.model_validate(found).tests) == 3
    assert len(BLOCKS) == 2


def test_its_commands_exist() -> None:
    known = set(getattr(get_command(policy.app), "commands"))  # noqa: B009 - a group's, which its type does not say
    named = set(re.findall(r"retinue policy ([a-z]+)", PAGE))
    assert named <= known and len(named) > 6
    options = set(re.findall(r"(--[a-z]+)", PAGE))
    shown = "".join(CliRunner().invoke(policy.app, [name, "--help"]).stdout for name in named)
    assert not [one for one in options if one not in shown]


def test_its_routes_exist() -> None:
    document = (Path(__file__).resolve().parents[2] / "docs" / "openapi.json").read_text()
    routes = re.findall(r"(?:GET|PUT|POST) (/v1/[a-z/]+)", PAGE)
    assert len(routes) > 4 and not [route for route in routes if f'"{route}"' not in document]
