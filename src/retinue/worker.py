"""The worker: takes due turns from the queue, keeps its node alive in the others' eyes, picks up after the dead."""

import asyncio
import os
import platform
import random
from uuid import UUID

import asyncpg

from retinue import errors, telemetry
from retinue.db.pool import Tx
from retinue.domain import ids
from retinue.store import approvals, late, meters, nodes, queue, seals, turns, wrapping
from retinue.store.queue import Entry
from retinue.turn import loop
from retinue.turn.engine import Engine
from retinue.turn.live import Hub, News

log = telemetry.logger(__name__)

VERSION = "0.1.0"
WATCH_SECONDS = 0.3
SWEEP_SECONDS = 10.0
PRUNE_SECONDS = 600.0
EXPIRE_SECONDS = 5.0
"""How often at least this node looks for waits whose time is up; in between, when the next one is due."""
SETTLE_SECONDS = 5.0
"""How often this node settles what calls have left, and brings over usage that was refused."""
PATIENCE_SECONDS = 0.5
TRIES = 5


class Worker:
    """One node's worker."""

    def __init__(self, engine: Engine, hub: Hub) -> None:
        self._engine = engine
        self._hub = hub
        self._db = engine.db
        self._stopping = asyncio.Event()
        self._queue = queue.manager(self._db.queue, hub.listening, engine.node_id, self._turn)
        self.ready = asyncio.Event()
        """Set once this node is registered and takes turns."""
        hub.listening.on_connect(self._announce)
        hub.watch(self._hear)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set; then hand over what does not end in time, and leave."""
        settings = self._engine.settings
        async with asyncio.TaskGroup() as group:
            chores = group.create_task(self._chores())
            tidying = group.create_task(self._tidy())
            sealing = group.create_task(self._seal())
            expiring = group.create_task(self._expire())
            settling = group.create_task(self._settle())
            await self._hub.listening.ready.wait()
            self.ready.set()
            work = group.create_task(
                queue.run(self._queue, concurrency=settings.concurrency, heartbeat=settings.heartbeat_seconds)
            )
            stopper = group.create_task(self._stop_when(stop))
            await asyncio.wait({work, stopper}, return_when=asyncio.FIRST_COMPLETED)
            # model calls were broken off and handed over at once; effects get time to end
            await asyncio.wait({work}, timeout=settings.drain_seconds)
            for task in (work, chores, tidying, sealing, expiring, settling, stopper):
                task.cancel()
        await self._leave()

    async def _stop_when(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._stopping.set()
        self._queue.shutdown.set()
        self._queue.queries.driver.shutdown.set()
        self._engine.drain()

    async def _leave(self) -> None:
        """What was not ended in time goes to the others at once."""
        try:
            async with self._db.system_tx() as tx:
                await nodes.recover(tx, self._engine.node_id)
        except errors.DatabaseDown:
            log.info("the database is away; the others will notice that this node has left")

    # ── one turn ────────────────────────────────────────────────────────────────────────────────────────────

    async def _turn(self, entry: Entry) -> None:
        """Run one queue entry to its end. Raises only when this node leaves; the entry then goes to the others."""
        telemetry.metrics.turns_running.inc()
        tries = 0
        try:
            while True:
                try:
                    await loop.run(self._engine, entry.account_id, entry.interaction_id, entry.job_id)
                    return
                except errors.DatabaseDown:
                    if self._stopping.is_set():
                        raise
                    log.warning("a turn waits for the database", interaction=entry.interaction_id)
                except Exception:
                    tries += 1
                    log.exception("a turn could not be taken", interaction=entry.interaction_id, tries=tries)
                if tries >= TRIES:
                    await self._set_aside(entry)
                    return
                if self._stopping.is_set():
                    return
                await asyncio.sleep(PATIENCE_SECONDS * random.uniform(0.5, 1.5))
        finally:
            telemetry.metrics.turns_running.dec()

    async def _set_aside(self, entry: Entry) -> None:
        """A turn that cannot even be taken is a dead letter; if that fails too, the sweep brings it back later."""
        try:
            await turns.set_aside(self._db, entry.account_id, entry.interaction_id)
        except Exception:
            log.exception("a turn could not be set aside", interaction=entry.interaction_id)

    def _hear(self, news: News) -> None:
        if news.topic == "cancel":
            self._engine.interrupt(news.id, "cancel")

    # ── being alive ─────────────────────────────────────────────────────────────────────────────────────────

    async def _announce(self, connection: Tx) -> None:
        """Take (again) the lock that says this node lives. Under the same id if nobody has buried it meanwhile."""
        node_id = self._engine.node_id
        known = await nodes.state(connection, node_id)
        if known == "up" and await nodes.hold(connection, node_id):
            return
        if known is not None:
            node_id = ids.new()
            log.warning("this node was given up by the others; it goes on under a new id", old=self._engine.node_id)
        keys = wrapping.sorts(self._engine.settings)
        await nodes.register(
            connection, node_id, host=platform.node(), pid=os.getpid(), version=VERSION, wrapping_keys=keys
        )
        old, self._engine.node_id = self._engine.node_id, node_id
        self._queue.queue_manager_id = queue.QueueManagerId(node_id)
        if known is not None and old != node_id:
            await self._bury(old)

    async def _bury(self, node_id: UUID) -> None:
        async with self._db.system_tx() as tx:
            count = await nodes.recover(tx, node_id)
        if count:
            log.info("turns of a dead node go on here", node=node_id, turns=count)

    async def _chores(self) -> None:
        """Watch the neighbours, sweep up lost turns, prune. Chores look at rows only: missing one is harmless."""
        loop_time = asyncio.get_running_loop().time
        swept = pruned = loop_time()
        while True:
            await asyncio.sleep(WATCH_SECONDS * random.uniform(0.8, 1.2))
            now = loop_time()
            try:
                await self._watch()
                if now - swept > SWEEP_SECONDS:
                    swept = now
                    await self._sweep()
                if now - pruned > PRUNE_SECONDS:
                    pruned = now
                    await self._prune()
            except (errors.DatabaseDown, asyncpg.PostgresError) as error:
                log.warning("a chore waits for the database", error=type(error).__name__)

    async def _tidy(self) -> None:
        """Remove files that nobody needs any more. Apart from the chores: a storage that is slow holds up nobody."""
        while self._engine.files is not None:
            await asyncio.sleep(PRUNE_SECONDS * random.uniform(0.8, 1.2))
            try:
                gone = await self._engine.files.sweep(self._engine.settings.retention_upload_hours)
                log.info("swept files", **gone)
            except (errors.Unavailable, asyncpg.PostgresError) as error:
                log.warning("the sweep of files waits", error=type(error).__name__, detail=str(error))

    async def _seal(self) -> None:
        """Seal the audit record. Apart from the chores: a long record holds up nobody."""
        settings = self._engine.settings
        if not settings.seal_seconds or settings.secret_key is None:
            return
        signer = seals.Signer(settings.secret_key)
        while True:
            await asyncio.sleep(settings.seal_seconds * random.uniform(0.8, 1.0))
            try:
                await seals.run(self._db, signer)
            except (errors.DatabaseDown, asyncpg.PostgresError) as error:
                log.warning("the audit record waits for its seal", error=type(error).__name__)

    async def _settle(self) -> None:
        """Settle what killed processes have reserved, and bring over usage that its tables refused (COST-03)."""
        while True:
            await asyncio.sleep(SETTLE_SECONDS * random.uniform(0.8, 1.2))
            try:
                swept, brought = await meters.sweep(self._db, SETTLE_SECONDS), await late.catch_up(self._db)
                if swept.settled or swept.released or brought:
                    log.info("settled what was left", late_usage=brought, **swept.model_dump())
            except (errors.DatabaseDown, asyncpg.PostgresError) as error:
                log.warning("reservations stay held past their time", error=type(error).__name__)

    async def _expire(self) -> None:
        """End waits whose time is up, when it is; every node looks, and one of them does it."""
        while True:
            pause = EXPIRE_SECONDS * random.uniform(0.8, 1.2)
            try:
                async with self._db.system_tx() as tx:
                    due = await approvals.due(tx)
                    soon = await approvals.next_due(tx)
                if soon is not None and not due:
                    pause = min(pause, max(soon, 0.0) + random.uniform(0.01, 0.05))
                for account_id, wait_id in due:
                    await self._expire_one(account_id, wait_id)
            except (errors.DatabaseDown, asyncpg.PostgresError) as error:
                log.warning("waits stay open past their time", error=type(error).__name__)
            await asyncio.sleep(pause)

    async def _expire_one(self, account_id: UUID, wait_id: UUID) -> None:
        """One that cannot be ended holds up no other."""
        try:
            await approvals.expire(self._db, account_id, wait_id)
        except Exception:
            log.exception("a wait stays open past its time", wait=wait_id)

    async def _watch(self) -> None:
        async with self._db.system_tx() as tx:
            dead = await nodes.dead(tx, self._engine.node_id)
        for node_id in dead:
            await self._bury(node_id)

    async def _sweep(self) -> None:
        async with self._db.system_tx() as tx:
            count = await nodes.sweep(tx)
        if count:
            log.warning("turns without a queue entry were enqueued again", turns=count)

    async def _prune(self) -> None:
        settings = self._engine.settings
        async with self._db.system_tx() as tx:
            gone = await nodes.prune(
                tx,
                stream_minutes=settings.retention_stream_minutes,
                queue_log_days=settings.retention_queue_log_days,
                idempotency_hours=settings.retention_idempotency_hours,
            )
            gone["meters"] = await meters.prune(tx)
            accounts = await nodes.list_accounts(tx) if settings.retention_journal_days else []
        steps = 0
        for account_id in accounts:
            async with self._db.tenant_tx(account_id) as tx:
                steps += await nodes.compact(tx, account_id, settings.retention_journal_days)
        log.info("pruned", **gone, compacted_steps=steps)
