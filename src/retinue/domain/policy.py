"""Whether a call may run: pure decisions, each with a stable reason. Later layers narrow further, never widen."""

from retinue.domain.agents import TRUST_RANK, TrustLevel
from retinue.domain.tools import Decision, ToolCall, ToolSpec

ALLOW = Decision(verdict="allow", layers=("agent",))


def decide(
    spec: ToolSpec | None, call: ToolCall, *, trust: TrustLevel, calls_before: int, limit: int | None
) -> Decision:
    """The verdict on one call of an agent.

    ``spec``: the tool if the agent has it. ``trust``: the agent's own level. ``calls_before``: calls of this tool
    earlier in this interaction. ``limit``: the agent's own limit of calls per tool.
    """
    if spec is None:
        return _deny("unknown_tool", f"You have no tool named {call.tool!r}. Use one of the tools you were given.")
    if call.malformed is not None:
        return _deny("invalid_arguments", "The arguments were not a JSON object. Send them again as one.")
    if TRUST_RANK[trust] < TRUST_RANK[spec.trust]:
        return _deny("trust_too_low", f"{spec.slug} needs trust level {spec.trust.value}; yours is {trust.value}.")
    if spec.requires_approval:
        return _deny("approval_required", f"{spec.slug} needs a person's approval, which cannot be asked for here yet.")
    limits = [bound for bound in (limit, spec.max_calls_per_interaction) if bound is not None]
    if limits and calls_before >= min(limits):
        return _deny("call_limit", f"{spec.slug} may be called {min(limits)} times in one turn; that is used up.")
    return ALLOW


def _deny(reason: str, detail: str) -> Decision:
    return Decision(verdict="deny", reason=reason, detail=detail, layers=("agent",))
