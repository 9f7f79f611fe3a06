"""The loop: load the rows, ask ``next_move``, do it, until the turn ends, waits or is handed over."""

import random
from datetime import timedelta
from typing import cast
from uuid import UUID

from retinue import errors, telemetry
from retinue.domain.turns import Act, Interaction, Respond, State, Stop, Suspend, Think, next_move
from retinue.store import turns
from retinue.telemetry import clock
from retinue.turn import act, respond, think
from retinue.turn.engine import Engine, Interrupted, Turn

log = telemetry.logger(__name__)

TAKEOVERS = 20
"""After this many attempts that each ended with their process, the turn is taken to be what kills it. Retries and
waits that were resolved are attempts, too, and do not count."""


async def run(engine: Engine, account_id: UUID, interaction_id: UUID, job_id: int) -> None:
    """Take one turn as far as it goes. Raises DatabaseDown only: the caller tries again when the database is back."""
    with telemetry.context(account=account_id, interaction=interaction_id):
        try:
            await engine.precedence.give_way()
            claimed, turn = await engine.take(account_id, interaction_id, job_id)
            if turn is None:
                return
            if claimed.takeover:
                telemetry.metrics.takeovers_total.inc()
                log.info("turn taken over", attempt=turn.fence.attempt)
            engine.running[interaction_id] = turn
            if engine.draining:  # it was taken from the queue just before this node was told to leave
                turn.stop("drain")
            try:
                with telemetry.span("turn", interaction=interaction_id, attempt=turn.fence.attempt):
                    await _guarded(engine, turn)
            finally:
                if engine.running.get(interaction_id) is turn:
                    del engine.running[interaction_id]
                if turn.unsaved is not None:  # it was answered, and cost what it cost, whatever became of the turn
                    await think.settle(engine, turn, turn.unsaved.seq, turn.unsaved.reply)
        except errors.Fenced:
            telemetry.metrics.fenced_writes_total.inc()
            log.info("a write was refused: another node has this turn")


async def _guarded(engine: Engine, turn: Turn) -> None:
    """Every way a turn can go wrong, each with its end."""
    try:
        if turn.fence.attempt > TAKEOVERS + turn.interaction.retries + len(turn.waits):
            await respond.fail(
                engine,
                turn,
                error="poisoned",
                dead_letter=True,
                detail="This turn ended its process again and again; it is set aside.",
            )
            return
        await _go(engine, turn)
    except Interrupted as stop:
        await _interrupted(engine, turn, stop)
    except (errors.Fenced, errors.DatabaseDown):
        raise
    except errors.ModelTransient as error:
        await _retry(engine, turn, error, error.retry_after)
    except errors.ModelError as error:
        await respond.fail(engine, turn, error=error.reason_code, detail=error.detail)
    except Exception as error:
        cause = _only(error)
        if isinstance(cause, errors.Fenced | errors.DatabaseDown):
            raise cause from error
        log.exception("turn broke")
        await _retry(engine, turn, errors.Unavailable("Something went wrong inside Retinue."), None, "internal_error")


def _only(error: BaseException) -> BaseException:
    """What a task group wraps: the first that matters."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    inner = [_only(one) for one in cast("BaseExceptionGroup[BaseException]", error).exceptions]
    return next((one for one in inner if isinstance(one, errors.Fenced | errors.DatabaseDown)), inner[0])


async def _go(engine: Engine, turn: Turn) -> None:
    while True:
        await engine.precedence.give_way()
        if turn.interrupt == "drain" and turn.unsaved is None:
            raise Interrupted("drain")
        match next_move(turn.journal()):
            case Think() as move:
                await think.run(engine, turn, move)
            case Act() as move:
                await act.run(engine, turn, move)
            case Suspend():
                if await turns.suspend(engine.db, turn.fence):
                    return
                await act.refresh(engine, turn)
            case Respond() as move:
                await respond.close(engine, turn, move)
                return
            case Stop() as move:
                await respond.give_up(engine, turn, move)
                return


async def _interrupted(engine: Engine, turn: Turn, stop: Interrupted) -> None:
    if stop.reason == "cancel":
        await respond.give_up(engine, turn, Stop(State.CANCELLED, "cancelled"))
        return
    await turns.release(engine.db, turn.fence, delay=timedelta(0), retry=False, error=None, detail=None)
    log.info("turn handed over")


async def _retry(
    engine: Engine, turn: Turn, error: errors.RetinueError, retry_after: float | None, code: str | None = None
) -> None:
    """Put the turn back with a pause, nothing held meanwhile; after too many tries it is a dead letter."""
    name = code or error.reason_code
    if turn.interaction.retries >= engine.settings.max_retries:
        await respond.fail(engine, turn, error=name, detail=error.detail, dead_letter=True)
        return
    seconds = pause(engine.settings.retry_base_seconds, turn.interaction, retry_after)
    await turns.release(
        engine.db, turn.fence, delay=timedelta(seconds=seconds), retry=True, error=name, detail=error.detail
    )
    telemetry.metrics.retries_total.inc()
    log.info("turn will be tried again", error=name, seconds=round(seconds, 2), at=clock.now())


def pause(base: float, interaction: Interaction, retry_after: float | None) -> float:
    """Seconds until the next try: doubling, with jitter, never sooner than the provider asked (at most 10 minutes)."""
    backoff = base * 2 ** min(interaction.retries, 8) * random.uniform(0.75, 1.25)
    return min(max(backoff, retry_after or 0.0), 600.0)
