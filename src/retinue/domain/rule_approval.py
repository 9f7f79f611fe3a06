"""The rule that asks a person first (GOV-14, GOV-16), and what it compares arguments with.

Whatever cannot be read counts as a match: it is asked about (GOV-20).
"""

import math
from typing import Annotated, Any, Literal, Self, cast

from pydantic import ConfigDict, Field, model_validator

from retinue.domain.base import Value
from retinue.domain.rule_base import Category, Question, RuleType, Scope, wild
from retinue.domain.verdicts import Ask


class Comparison(Value):
    """What an argument must be like: a dotted path into the arguments, compared with a value.

    ``above`` takes a number, also where the argument spells it as text. ``equal`` and ``one_of`` look neither at case
    nor at spaces around; ``not_one_of`` looks at every letter: each errs towards asking. ``matches`` takes ``*`` for
    any letters. An argument that is not there, or cannot be compared, counts as a match.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    argument: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+){0,5}$")]
    is_: Literal["above", "equal", "one_of", "not_one_of", "matches"] = Field(alias="is")
    value: bool | float | str | tuple[str, ...]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.is_ == "above" and _number(self.value) is None:
            raise ValueError("above needs a number")
        if self.is_ in ("one_of", "not_one_of") and not isinstance(self.value, tuple):
            raise ValueError(f"{self.is_} needs a list of texts")
        if self.is_ == "matches" and not isinstance(self.value, str):
            raise ValueError("matches needs a text, in which * stands for any letters")
        return self

    def holds(self, arguments: dict[str, Any]) -> bool:
        """Whether the argument is so."""
        found: Any = arguments
        for name in self.argument.split("."):
            if not isinstance(found, dict) or name not in found:
                return True
            found = cast("dict[str, Any]", found)[name]
        match self.is_:
            case "above":
                number, bound = _number(found), _number(self.value)
                return number is None or bound is None or number > bound
            case "equal":
                return _same(found, self.value)
            case "one_of":
                return not isinstance(found, str) or _plain(found) in {_plain(one) for one in _words(self.value)}
            case "not_one_of":
                return not isinstance(found, str) or found not in _words(self.value)
            case "matches":
                return not isinstance(found, str) or wild(_plain(str(self.value)), _plain(found))


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(number) else number


def _same(found: Any, value: bool | float | str | tuple[str, ...]) -> bool:
    if isinstance(value, bool):
        return not isinstance(found, bool) or found is value
    if isinstance(value, float):
        return (number := _number(found)) is None or number == value
    if isinstance(value, str):
        return not isinstance(found, str) or _plain(found) == _plain(value)
    return not isinstance(found, list) or tuple(cast("list[Any]", found)) == value


def _plain(text: str) -> str:
    return text.strip().casefold()


def _words(value: bool | float | str | tuple[str, ...]) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value),)


class ApprovalRule(Value):
    """What a person must approve before it is done: calls of these categories, or of this scope, where all comparisons
    hold and that may cost more than so much."""

    type: Literal[RuleType.APPROVAL] = RuleType.APPROVAL
    scope: Scope = Scope()
    categories: tuple[Category, ...] = ()
    where: tuple[Comparison, ...] = Field(default=(), max_length=20)
    cost_above_micro: int | None = Field(default=None, ge=0)
    """Only calls that may cost more than this, in millionths of a US dollar; one of unknown price is such a call."""
    ask: Ask

    def judge(self, asked: Question) -> tuple[str, str] | None:
        """Why a person is asked, as code and words; None when nobody is."""
        if asked.spec is None or asked.call is None:
            return None
        if self.categories and not set(self.categories) & set(asked.categories):
            return None
        if not all(one.holds(asked.call.arguments) for one in self.where):
            return None
        worst = asked.so_far.worst_micro
        if self.cost_above_micro is not None and worst is not None and worst <= self.cost_above_micro:
            return None
        return "approval_required", f"{asked.spec.name} is done here once a person has approved it."
