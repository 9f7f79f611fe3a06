"""Tool names on the wire: providers allow letters, digits, ``_`` and ``-`` up to 64; our slugs may have more."""

import re
from collections.abc import Sequence

from retinue.domain.tools import ToolSpec

ALLOWED = re.compile(r"[^a-zA-Z0-9_-]")
LONGEST = 64


class Names:
    """The two-way mapping of one request's tools between our slugs and what the provider is told."""

    def __init__(self, tools: Sequence[ToolSpec]) -> None:
        self._wire: dict[str, str] = {}
        self._slug: dict[str, str] = {}
        for spec in tools:
            self.name(spec.slug)

    def name(self, slug: str) -> str:
        """The wire name of a slug; the same one for the whole request, also for a tool that is no longer offered."""
        known = self._wire.get(slug)
        if known:
            return known
        plain = ALLOWED.sub("_", slug)[:LONGEST] or "_"
        name, number = plain, 2
        while name in self._slug:
            suffix = f"_{number}"
            name, number = plain[: LONGEST - len(suffix)] + suffix, number + 1
        self._wire[slug], self._slug[name] = name, slug
        return name

    def slug(self, name: str) -> str:
        """The slug of a wire name; an invented name stays as it is, and the gate says that it knows no such tool."""
        return self._slug.get(name, name)
