"""Policies and expectations as YAML files. Read as YAML 1.2 says, so that ``18:00`` is a time of the day and ``no`` a
word; a key that stands twice is an error, not the last one."""

import re
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, cast

import typer
import yaml

HEADER = "# Policies of Retinue. Compare: retinue policy diff FILE. Put in force: retinue policy apply FILE.\n"


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, Any]]] = {}  # noqa: RUF012 - as the parent declares it

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            name = key.value
            if name in seen:
                raise yaml.MarkedYAMLError(None, None, f"{name!r} stands here twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


for _tag, _words, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    _resolve = cast("Any", _Loader).add_implicit_resolver
    _resolve(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_words})$"), _first)


def read(file: Path) -> Any:
    """What a file holds. Raises BadParameter with the line."""
    try:
        return yaml.load(file.read_text("utf-8"), Loader=_Loader)  # a safe loader
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise typer.BadParameter(f"{file} is no YAML that can be read: {error}") from error


def policies(files: Sequence[Path]) -> list[dict[str, Any]]:
    """The documents of all these files; of a folder, those of each ``.yaml`` and ``.yml`` in it."""
    found: list[dict[str, Any]] = []
    for file in files:
        inside = sorted([*file.rglob("*.yaml"), *file.rglob("*.yml")]) if file.is_dir() else [file]
        for one in inside:
            found += listed(one, read(one), "policies")
    return found


def listed(file: Path, content: Any, key: str) -> list[dict[str, Any]]:
    """The list that a file is, or has under this key. Raises BadParameter."""
    held: Any = cast("dict[str, Any]", content).get(key) if isinstance(content, dict) else content
    if not isinstance(held, list) or not all(isinstance(one, dict) for one in cast("list[Any]", held)):
        raise typer.BadParameter(f"{file} must hold a list of {key}")
    return cast("list[dict[str, Any]]", held)


def text(documents: Sequence[dict[str, Any]]) -> str:
    """The documents as one file."""
    return HEADER + yaml.safe_dump(
        {"policies": list(documents)}, sort_keys=False, allow_unicode=True, width=100, default_flow_style=False
    )
