"""What an agent says goes by the content rules before anybody reads it (GOV-11).

Pure. Nobody can be asked about words on their way: what a rule would ask about is held back, like what it blocks.
"""

import json
from typing import Any

from retinue.domain import rule_content, rules, verdicts
from retinue.domain.models import ModelReply, Part, TextPart
from retinue.domain.policy import Book
from retinue.domain.rule_base import Question
from retinue.domain.rule_content import ContentRule
from retinue.domain.verdicts import Judgement, Layer, Opinion

SAID = Opinion(layer=Layer.AGENT, rule="agent", verdict="allow")


def words(reply: ModelReply) -> str:
    """All that an answer says."""
    return "\n".join([reply.text, *rule_content.texts(reply.structured)])


def judge(book: Book, asked: Question, words: str) -> Judgement:
    """The verdict of all content rules on what is to be said: allow, with what is to be taken out, or deny."""
    asked = asked.model_copy(update={"model": None, "text": words})
    opinions = [SAID]
    for one in book.policies:
        if isinstance(one.rule, ContentRule):
            said = rules.opinion(one.rule, one.layer, one.name, asked)
            opinions += [] if said is None else [_unasked(said)]
    return verdicts.join(opinions)


def _unasked(said: Opinion) -> Opinion:
    if said.verdict != "ask":
        return said
    return said.model_copy(update={"verdict": "deny", "ask": None, "reason": "content_blocked"})


def changers(judged: Judgement) -> list[str]:
    """The layers and rules that changed what is said, as the record of audit names them."""
    against = [one for one in judged.opinions if one.verdict == "deny"]
    return [one.named for one in against or judged.opinions if against or one.redact]


def cleaned(reply: ModelReply, judged: Judgement, heard: tuple[ContentRule, ...]) -> ModelReply:
    """The answer as it may be said. Its calls stay: each of them is judged by itself."""
    if judged.verdict == "deny":
        return _with(reply, "" if reply.calls else held_back(judged), None)
    if not judged.redact:
        return reply
    takers = tuple(rule for rule in heard if rule.then == "redact")
    if reply.structured is None:
        return _with(reply, rule_content.redacted_text(reply.text, takers), None)
    structured = rule_content.redacted_value(reply.structured, takers)
    return _with(reply, json.dumps(structured, ensure_ascii=False), structured)


def held_back(judged: Judgement) -> str:
    """What people read in place of an answer that may not be said."""
    against = next(one for one in judged.opinions if one.reason == judged.reason)
    whose = "a rule of the person it is for" if against.layer is Layer.USER else f"the rule “{against.rule}”"
    return f"My answer was held back by {whose}. {judged.detail}"


def _with(reply: ModelReply, text: str, structured: Any) -> ModelReply:
    """Its text in one piece, before the calls: what was found may have stood across pieces."""
    others = [part for part in reply.parts if not isinstance(part, TextPart)]
    calls = [part for part in others if part.kind == "tool-call"]
    said: list[Part] = [TextPart(text=text)] if text else []
    parts = (*(part for part in others if part.kind != "tool-call"), *said, *calls)
    return reply.model_copy(update={"text": text, "structured": structured, "parts": parts})
