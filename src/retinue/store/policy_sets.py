"""Sets of policies: written as a whole or not at all, tried without staying, and read as text."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

from retinue import errors
from retinue.db.pool import Tx
from retinue.domain import policies, policy_documents
from retinue.domain.accounts import Principal
from retinue.domain.policies import NewPolicy, Place, PolicyChange, Remarks, SavedPolicy
from retinue.domain.policy_documents import DocumentChange, Named, Planned, PolicyDocument, Present, Wish
from retinue.store import policies as rows
from retinue.store import policy_names, policy_writes
from retinue.store.policy_writes import Act

PRESENT = """
select p.* from policy p
where p.account_id = $1 and (p.layer = 'account' and $2 or p.team_id = any($3)) order by p.layer, p.priority, p.id
"""
READABLE = f"""
select p.* from policy p where {rows.SEEN} and p.account_id = $1 and p.layer <> 'user'
order by p.layer, p.team_id, p.priority, p.id limit {policy_documents.MOST}
"""


async def apply(
    tx: Tx, principal: Principal, wanted: Sequence[PolicyDocument], *, prune: bool = False
) -> tuple[DocumentChange, ...]:
    """Make the policies of the places that the documents speak of what they say; returns what it changed.

    Raises Forbidden, Loosens, BadInput (with the path of each document that is wrong), WrongState.
    """
    await policy_writes.hold(tx, principal)
    wishes = await _wishes(tx, principal, wanted)
    for place in {one.place.key: one.place for one in wishes}.values():
        await rows.require_writer(tx, principal, place)
    todo = policy_documents.plan(await _present(tx, principal, wishes), wishes, prune=prune)
    return tuple([await _do(tx, principal, one) for one in todo])


@asynccontextmanager
async def tried(tx: Tx) -> AsyncIterator[None]:
    """What is written in here is seen in here, and is not there any more afterwards."""
    inner = tx.transaction()
    await inner.start()
    try:
        yield
    finally:
        await inner.rollback()


# ── from documents to what is to be done ─────────────────────────────────────────────────────────────────────────


async def _wishes(tx: Tx, principal: Principal, wanted: Sequence[PolicyDocument]) -> list[Wish]:
    account_id = principal.account_id
    said = [one for document in wanted for one in policy_documents.references(document.rule)]
    named = await policy_names.inside(tx, account_id, said)
    teams = await policy_names.teams(tx, account_id, {one.team for one in wanted if one.team is not None})
    wishes: list[Wish] = []
    wrong: list[dict[str, str]] = []
    for index, document in enumerate(wanted):
        found = _unknown(document, named, teams)
        rule, misread = (None, []) if found else policy_documents.parsed(document, named)
        wrong += [{**one, "path": f"policies.{index}.{one['path']}"} for one in (*found, *misread)]
        if rule is not None:
            team_id = teams[document.team] if document.team is not None else None
            new = NewPolicy(
                name=document.name, layer=document.layer, team_id=team_id, rule=rule, enabled=document.enabled,
                priority=document.priority,
            )  # fmt: skip
            place = new.place(principal.user_id)
            wishes.append(Wish(index=index, place=place, team=document.team, said=policies.said(new), rule=rule))
    wrong += policy_documents.repeated(wishes)
    if wrong:
        listed = [{**one, "path": f"body.{one['path']}"} for one in wrong]
        raise errors.BadInput(f"Correct the documents. First: {wrong[0]['path']}: {wrong[0]['reason']}.", errors=listed)
    return wishes


def _unknown(document: PolicyDocument, named: Named, teams: dict[str, UUID]) -> list[dict[str, str]]:
    """The names in a document that nothing here has."""
    found = [
        {"path": f"rule.{one.path}", "reason": f"there is no {one.noun} {one.text!r}"}
        for one in policy_documents.references(document.rule)
        if (one.noun, one.text) not in named and policy_documents.as_id(one.noun, one.text) is None
    ]
    if document.team is not None and document.team not in teams:
        found.append({"path": "team", "reason": f"there is no team {document.team!r}"})
    return found


async def _present(tx: Tx, principal: Principal, wishes: Sequence[Wish]) -> list[Present]:
    teams = {one.place.team_id: one.team for one in wishes if one.place.team_id is not None}
    over_all = any(one.place.layer == "account" for one in wishes)
    found: list[Present] = []
    for row in await tx.fetch(PRESENT, principal.account_id, over_all, list(teams)):
        place = Place(layer=row["layer"], team_id=row["team_id"])
        found.append(Present(id=row["id"], place=place, team=teams.get(row["team_id"]), said=rows.content(row)))
    return found


async def _do(tx: Tx, principal: Principal, planned: Planned) -> DocumentChange:
    wish, present = planned.wish, planned.present
    saved: SavedPolicy | None = None
    with _of(wish):
        match planned.action:
            case "create" if wish is not None:
                saved = await policy_writes.create(tx, principal, _new(wish), _act("policy.create"))
            case "update" if wish is not None and present is not None:
                change = PolicyChange(**wish.said.model_dump(exclude={"rule"}), rule=wish.rule)
                saved = await policy_writes.change(tx, principal, present.id, change, act=_act("policy.update"))
            case "delete" if present is not None:
                await policy_writes.delete(tx, principal, present.id, act=_act("policy.delete"))
            case _:
                pass
    remarks = Remarks.model_validate({name: getattr(saved, name) for name in Remarks.model_fields} if saved else {})
    return planned.change(remarks, saved.id if saved else None)


def _new(wish: Wish) -> NewPolicy:
    said = wish.said
    return NewPolicy(
        name=said.name, layer=wish.place.layer, team_id=wish.place.team_id, rule=wish.rule, enabled=said.enabled,
        priority=said.priority,
    )  # fmt: skip


def _act(event: str) -> Act:
    return Act(event=event, detail={"via": "apply"})


@contextmanager
def _of(wish: Wish | None) -> Iterator[None]:
    """What is wrong with a policy is wrong with its document."""
    try:
        yield
    except (errors.BadInput, errors.Loosens) as error:
        if wish is None:
            raise
        start = f"body.policies.{wish.index}"
        found = [{**one, "path": one["path"].replace("body", start, 1)} for one in error.errors]
        detail = f"“{wish.said.name}”: {error.detail}"
        if isinstance(error, errors.Loosens):
            raise errors.Loosens(detail, errors=found) from error
        raise errors.BadInput(detail, code=error.reason_code, errors=found) from error


# ── as text ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def documents(tx: Tx, principal: Principal) -> tuple[PolicyDocument, ...]:
    """The account's and teams' policies that this person may see, with names for ids."""
    account_id = principal.account_id
    found = await tx.fetch(READABLE, account_id, principal.user_id, rows.is_admin(principal))
    said = [one for row in found for one in policy_documents.references(row["rule"])]
    named = await policy_names.outside(tx, account_id, said)
    slugs = await policy_names.team_slugs(tx, account_id, {row["team_id"] for row in found if row["team_id"]})
    return tuple(
        policy_documents.document(rows.policy(row), row["rule"], slugs.get(row["team_id"]), named) for row in found
    )
