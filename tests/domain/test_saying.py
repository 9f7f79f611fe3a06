"""Whatever an answer holds: what the rules let be said holds nothing that they look for, and calls stay as they are."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from retinue.domain import ids, saying
from retinue.domain.models import CallPart, ModelReply, TextPart, ThinkingPart
from retinue.domain.policy import Book, Written
from retinue.domain.rule_base import Question
from retinue.domain.rule_content import ContentRule, Topic
from retinue.domain.tools import ToolCall
from retinue.domain.verdicts import Layer

PIECES = st.sampled_from(
    ["a", " ", "jane@example.org", "@", "example", ".org", "falcon", "fal", "con", "+44 20 7946 0958", "\n", "é"]
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)
OBJECTS = st.none() | st.dictionaries(TEXTS, TEXTS | st.lists(TEXTS, max_size=3) | st.integers(), max_size=3)
THEN = st.sampled_from(["block", "redact", "ask"])
ASKED = Question(agent_id=ids.new(), at=datetime(2026, 1, 1, tzinfo=UTC), model="m")


def book(*thens: str) -> Book:
    looks: list[dict[str, Any]] = [{"detect": ("email", "phone")}, {"topics": (Topic(name="t", words=("falcon",)),)}]
    rules = [ContentRule.model_validate({"then": then, **looks[n % 2]}) for n, then in enumerate(thens)]
    return Book(
        revision=1,
        policies=tuple(
            Written(id=ids.new(), layer=Layer.ACCOUNT, name=f"r{n}", rule=one) for n, one in enumerate(rules)
        ),
    )


@given(TEXTS, OBJECTS, st.lists(THEN, min_size=1, max_size=3), st.booleans())
def test_nothing_is_left_of_what_the_rules_look_for(text: str, made: Any, thens: list[str], calling: bool) -> None:
    call = CallPart(call=ToolCall(id=ids.new(), provider_id="c", tool="look", arguments={}))
    parts = (ThinkingPart(text="hm", signature="s"), TextPart(text=text), *((call,) if calling else ()))
    reply = ModelReply(
        model="m", provider="p", text=text, structured=made, parts=parts, calls=(call.call,) if calling else ()
    )
    rules = book(*thens)
    heard = tuple(rule for _, rule in rules.rules() if isinstance(rule, ContentRule))
    judged = saying.judge(rules, ASKED, saying.words(reply))
    clean = saying.cleaned(reply, judged, heard)
    again = saying.judge(rules, ASKED, "" if judged.verdict == "deny" and not calling else saying.words(clean))
    assert (again.verdict, again.redact) == ("allow", ())
    assert judged.ask is None
    assert clean.calls == reply.calls
    assert [part for part in clean.parts if part.kind != "text"] == [part for part in parts if part.kind != "text"]
    if judged.verdict == "allow" and not judged.redact:
        assert clean == reply
