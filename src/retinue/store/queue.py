"""The queue: PgQueuer on our own tables, its entries written inside our own transactions (``enqueue_v1`` in SQL).

With ``worker`` the only importer of pgqueuer. One listening connection serves the queue, live events and liveness.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self, cast
from uuid import UUID

import asyncpg
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.core.tm import TaskManager
from pgqueuer.models import Job, TracebackRecord
from pgqueuer.ports.repository import EntrypointExecutionParameter
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries
from pgqueuer.types import JOB_STATUS, JobId, QueueEntrypoint, QueueManagerId

from retinue import errors, telemetry
from retinue.db import migrate
from retinue.db.listen import Listening
from retinue.db.pool import DOWN, Tx

log = telemetry.logger(__name__)

PATIENCE_SECONDS = 0.25


class Driver:
    """PgQueuer's driver: queries on a small pool, notifications on the node's one listening connection.

    It waits for a database that is away instead of failing, so that work in hand goes on when it is back.
    """

    def __init__(self, pool: asyncpg.Pool, listening: Listening) -> None:
        self._pool = pool
        self._listening = listening
        self._shutdown = asyncio.Event()

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        return [dict(row) for row in await self._patiently(self._pool.fetch, query, *args)]

    async def execute(self, query: str, *args: object) -> str:
        return await self._patiently(self._pool.execute, query, *args)

    async def notify(self, channel: str, payload: str) -> None:
        await self.execute("select pg_notify($1, $2)", channel, payload)

    async def _patiently(self, call: Callable[..., Awaitable[Any]], query: str, *args: object) -> Any:
        while True:
            try:
                return await call(query, *args)
            except DOWN as error:
                if self._shutdown.is_set():
                    raise errors.DatabaseDown("The database went away while this node was stopping.") from error
                log.warning("the queue waits for the database", error=type(error).__name__)
                await asyncio.sleep(PATIENCE_SECONDS)

    async def add_listener(self, channel: str, callback: Callable[[str | bytes | bytearray], None]) -> None:
        await self._listening.add(channel, callback)

    @property
    def shutdown(self) -> asyncio.Event:
        return self._shutdown

    @property
    def tm(self) -> TaskManager:
        return TaskManager()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


# by id, and never by the index of holders, which still has an entry of each turn ended since the last vacuum
DONE = """
delete from queue.pgqueuer where id = any ($1::bigint[]) and $2::uuid[] @> array[queue_manager_id]
"""
IDLE = """
select min(execute_after) - now() as eta, count(*) as queued from (
    select execute_after from queue.pgqueuer where entrypoint = any ($1) and status = 'queued'
    order by execute_after limit 1) soonest
"""
ALIVE = """
update queue.pgqueuer set heartbeat = now() where id = any ($1::bigint[]) and $2::uuid[] @> array[queue_manager_id]
"""


@dataclass
class OwnEntries(Queries):
    """PgQueuer's queries, but a node ends and keeps alive only what it still holds.

    PgQueuer goes by the entry's id alone: a node that thaws would delete the entry under the node that has taken its
    turn over, and the turn would have none.
    """

    held_as: set[UUID] = field(default_factory=set[UUID])
    """The ids under which this process has taken entries."""
    _in_hand: set[JobId] = field(default_factory=set[JobId])
    _queued: int = 0
    _eta: timedelta | None = None

    async def dequeue(
        self,
        batch_size: int,
        entrypoints: dict[QueueEntrypoint, EntrypointExecutionParameter],
        queue_manager_id: QueueManagerId,
        global_concurrency_limit: int | None,
        heartbeat_timeout: timedelta,
    ) -> list[Job]:
        """Take entries, as many as there is room for in this process.

        PgQueuer counts in the table what this node holds, and with that reads every entry that the node has ended
        since the last vacuum: a thousand of them per turn.
        """
        room = batch_size
        if global_concurrency_limit is not None:
            room = min(batch_size, global_concurrency_limit - len(self._in_hand))
        if room < 1:
            return []
        self.held_as.add(UUID(str(queue_manager_id)))
        taken = await super().dequeue(room, entrypoints, queue_manager_id, None, heartbeat_timeout)
        self._in_hand.update(job.id for job in taken)
        return taken

    async def log_jobs(self, job_status: list[tuple[Job, JOB_STATUS, TracebackRecord | None]]) -> None:
        """What was cancelled or failed has not ended: its entry stays, for this node when it leaves, or for its
        heartbeat when it stops, to give it back."""
        self._in_hand.difference_update(job.id for job, _, _ in job_status)
        ended = [job.id for job, status, _ in job_status if status == "successful"]
        await self.driver.execute(DONE, ended, list(self.held_as))

    async def eligible_queued_work(self, entrypoints: list[QueueEntrypoint]) -> int:
        """Whether an entry is due. One query answers this and the two questions that PgQueuer asks after it."""
        [row] = await self.driver.fetch(IDLE, entrypoints)
        self._queued, self._eta = cast(int, row["queued"]), cast("timedelta | None", row["eta"])
        return int(self._eta is not None and self._eta <= timedelta(0))

    async def next_deferred_eta(self, entrypoints: list[QueueEntrypoint]) -> timedelta | None:
        """Time until the soonest entry, as of the question before."""
        return self._eta

    async def queued_work(self, entrypoints: list[QueueEntrypoint]) -> int:
        """Whether any entry is queued, as of the question before."""
        return self._queued

    async def update_heartbeat(self, job_ids: list[JobId]) -> None:
        await self.driver.execute(ALIVE, list(set(job_ids)), list(self.held_as))


@dataclass(frozen=True, slots=True)
class Entry:
    """One queue entry handed to this node."""

    job_id: int
    account_id: UUID
    interaction_id: UUID
    waited_seconds: float


def manager(
    pool: asyncpg.Pool, listening: Listening, node_id: UUID, turn: Callable[[Entry], Awaitable[None]]
) -> QueueManager:
    """A queue manager under this node's id that hands every due turn to ``turn``, which must not raise."""
    settings = migrate.queue_settings()
    queries = OwnEntries(
        Driver(pool, listening),
        QueryBuilderEnvironment(settings),
        QueryQueueBuilder(settings),
        QuerySchedulerBuilder(settings),
    )
    queue = QueueManager(queries)
    queue.queue_manager_id = QueueManagerId(node_id)

    @queue.entrypoint("turn", accepts_context=False)
    async def run_turn(job: Job) -> None:  # pyright: ignore[reportUnusedFunction]
        await turn(_entry(job))

    return queue


def _entry(job: Job) -> Entry:
    body: dict[str, Any] = json.loads(job.payload or b"{}")
    waited = (job.updated - max(job.created, job.execute_after)).total_seconds()
    return Entry(int(job.id), UUID(body["account_id"]), UUID(body["interaction_id"]), max(waited, 0.0))


async def run(queue: QueueManager, *, concurrency: int, heartbeat: float) -> None:
    """Work until ``queue.shutdown`` is set; raises what the database raises when it goes away."""
    await queue.run(
        # nothing announces that another node's heartbeat has stopped, so look that often
        dequeue_timeout=timedelta(seconds=heartbeat),
        batch_size=min(32, max(concurrency // 2, 1)),
        max_concurrent_tasks=concurrency,
        heartbeat_timeout=timedelta(seconds=heartbeat),
        log_aggregation_interval=timedelta(0),
    )


async def depth(tx: Tx) -> list[dict[str, Any]]:
    """Entries by state with the age in seconds of the oldest that is due (for metrics and doctor)."""
    return [
        dict(row)
        for row in await tx.fetch(
            "select status::text as state, count(*) as entries, "
            "coalesce(extract(epoch from max(now() - execute_after) filter (where execute_after < now())), 0)::float8 "
            "as age "
            "from queue.pgqueuer group by status"
        )
    ]
