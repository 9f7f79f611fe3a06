"""Money as integer micro-units of a named currency (COST-18: never floating point)."""

from decimal import ROUND_CEILING, Decimal

from retinue.domain.base import Value

MICRO = 1_000_000


class Money(Value):
    """``Money(amount_micro=1_250_000)`` is 1.25 US dollars."""

    amount_micro: int
    currency: str = "USD"

    def __str__(self) -> str:
        return f"{Decimal(self.amount_micro) / MICRO:f} {self.currency}"


def micro(amount: Decimal) -> int:
    """Whole micro-units, rounded up, so that nothing that costs is recorded as free."""
    return int((amount * MICRO).to_integral_value(rounding=ROUND_CEILING))
