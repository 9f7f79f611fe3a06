"""Declare a tool of your own. The schema comes from the type hints and the docstring; the effect must be declared.

In a package of yours, the entry point ``[project.entry-points."retinue.tools"]`` names this module, and every
installation that has the package has the tool.
"""

import json

from retinue.domain.agents import TrustLevel
from retinue.domain.tools import Effect
from retinue.tools.registry import Context, collect, tool


@tool(effect=Effect.READ, trust=TrustLevel.READ)
async def convert_length(ctx: Context, metres: float, unit: str = "feet") -> dict[str, float | str]:
    """Convert a length from metres.

    Args:
        metres: The length in metres.
        unit: feet or inches.
    """
    factor = {"feet": 3.28084, "inches": 39.3701}[unit]
    return {"value": round(metres * factor, 2), "unit": unit}


for one in collect(convert_length):
    print(one.spec.slug, one.spec.effect.value, one.spec.trust.value)
    print(json.dumps(one.spec.parameters["properties"]["metres"], sort_keys=True))

# prints: convert_length read read
# prints: {"description": "The length in metres.", "type": "number"}
