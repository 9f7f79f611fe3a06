"""The rules that count: limits of cost and of rate (COST-04, COST-06). What they count is kept elsewhere (``meters``),
so they are no opinion about a call by itself."""

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from retinue.domain.base import Value
from retinue.domain.rule_base import RuleType, Scope


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("is no time zone, such as Europe/Berlin") from error
    return name


Zone = Annotated[str, AfterValidator(_zone)]
Period = Literal["day", "week", "month", "total"]
CostSubject = Literal["account", "team", "user", "agent", "interaction", "delegation"]
RateSubject = Literal["account", "user", "agent", "tool"]
MOST = 10**15
"""A thousand million dollars; also more tokens than anyone uses. Sums of such stay within 64 bits."""


class CostRule(Value):
    """How much may be spent by each subject in each period.

    ``per``: whose spending is added up. ``interaction``: of one turn with all that it delegates; ``delegation``: of
    one delegated turn with all that it delegates further. For these two the period is ``total``. Periods begin at
    midnight, on Monday, or on the first of the month, in ``time_zone``.
    """

    type: Literal[RuleType.COST] = RuleType.COST
    scope: Scope = Scope()
    per: CostSubject = "account"
    period: Period = "month"
    limit_micro: int = Field(ge=0, le=MOST)
    currency: Literal["USD"] = "USD"
    warn_at: tuple[Annotated[int, Field(ge=1, le=100)], ...] = Field(default=(80,), max_length=5)
    """At how many percent of the limit those who can raise it are told."""
    time_zone: Zone = "UTC"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.per in ("interaction", "delegation") and self.period != "total":
            raise ValueError(f"a limit per {self.per} holds for all of it: its period must be total")
        return self


class RateRule(Value):
    """How many calls or tokens in how many seconds, for each subject.

    ``token_bucket``: ``amount`` flows in evenly over ``seconds``, and at most ``burst`` (by default ``amount``) is kept
    for later. ``fixed_window``: ``amount`` in each window of ``seconds``, counted from 1970 on.
    """

    type: Literal[RuleType.RATE] = RuleType.RATE
    scope: Scope = Scope()
    per: RateSubject = "account"
    of: Literal["calls", "tokens"] = "calls"
    about: Literal["model", "tool"] = "tool"
    strategy: Literal["token_bucket", "fixed_window"] = "token_bucket"
    amount: int = Field(ge=1, le=MOST)
    seconds: int = Field(ge=1, le=31 * 86_400)
    burst: int | None = Field(default=None, ge=1, le=MOST)

    @property
    def most(self) -> int:
        """What may be used at one moment."""
        return self.burst or self.amount

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.of == "tokens" and self.about != "model":
            raise ValueError("only models use tokens: about must be model")
        if self.per == "tool" and self.about != "tool":
            raise ValueError("a limit per tool is about tools: about must be tool")
        if self.burst is not None and self.strategy != "token_bucket":
            raise ValueError("burst is for token_bucket; a fixed window has none")
        if self.about == "model" and (self.scope.tools or self.scope.effects):
            raise ValueError("a limit about models cannot have tools or effects in its scope")
        return self
