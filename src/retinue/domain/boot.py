"""What the check at start finds outside the rules, in words for the operator (REG-10, REG-20). Pure.

What would not work anyway, as the gate refuses it, is told before somebody waits for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from retinue.domain import aliases
from retinue.domain.agents import TrustLevel
from retinue.domain.base import Value
from retinue.domain.tools import Effect, ToolSpec


class Finding(Value):
    """One thing that is not as it should be. ``account`` is a slug; empty: the installation itself."""

    account: str
    about: str
    wrong: str
    advice: str
    fatal: bool = False
    """Whether something that people rely on cannot work at all."""

    def __str__(self) -> str:
        place = f" (account {self.account})" if self.account else ""
        return f"{self.about}{place}: {self.wrong}"


def undeclared(specs: Iterable[ToolSpec]) -> list[Finding]:
    """Tools of code that do not say what they do to the world and how much trust they need."""
    return [
        Finding(
            account="",
            about=f"tool {spec.slug}",
            wrong="declares no effect or no trust level",
            advice="Fix or uninstall the package that it comes from.",
            fatal=True,
        )
        for spec in specs
        if not (isinstance(spec.effect, Effect) and isinstance(spec.trust, TrustLevel))  # pyright: ignore[reportUnnecessaryIsInstance]
    ]


def unregistered(row: Mapping[str, Any]) -> Finding:
    return Finding(
        account=row["account"],
        about=f"agent {row['slug']}",
        wrong="is not registered, so every turn of it is refused",
        advice=f"Run: retinue agent register {row['slug']} --tier department --score 5",
        fatal=True,
    )


def unknown_tool(row: Mapping[str, Any]) -> Finding:
    return Finding(
        account=row["account"],
        about=f"agent {row['slug']}",
        wrong=f"has the tool {row['tool']}, which nobody provides",
        advice="Register the tool, install its package, or take it from the agent.",
    )


def out_of_reach(row: Mapping[str, Any]) -> Finding:
    return Finding(
        account=row["account"],
        about=f"agent {row['slug']}",
        wrong=f"has the tool {row['tool']}, which needs trust level {row['needed']}; its own is {row['trust_level']}",
        advice="Raise the agent's trust level by all it takes, or take the tool from it.",
    )


def unknown_restriction(row: Mapping[str, Any]) -> Finding:
    return Finding(
        account=row["account"],
        about=f"agent {row['slug']}",
        wrong=f"an assignment restricts the tool {row['tool']}, which nobody provides",
        advice="Correct the assignment: the tool that was meant is not restricted.",
    )


def of_role(row: Mapping[str, Any], known: Iterable[str]) -> list[Finding]:
    """Tools that a role's lists name and nobody provides. A pattern is meant for tools to come, too."""
    scope: Mapping[str, Any] = row["scope"]
    written: Sequence[str] = [*(scope.get("tools_allow") or ()), *(scope.get("tools_deny") or ())]
    slugs = list(known)
    return [
        Finding(
            account=row["account"],
            about=f"role {row['name']}",
            wrong=f"names the tool {name}, which nobody provides",
            advice="Correct the role: the tool that was meant is not ruled.",
        )
        for name in dict.fromkeys(written)
        if "*" not in name and not any(slug in slugs for slug in aliases.expand(name))
    ]
