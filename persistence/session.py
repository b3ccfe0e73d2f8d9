"""The transactional session over SQLAlchemy: what rules ask of storage, for a batch of requests."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Self
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from persistence.bulk import WrittenTogether
from persistence.caching import CachedState, StateCache
from persistence.dead_letters.entering import enter_letters
from persistence.dead_letters.values import DeadLetter
from persistence.decisions import MARK_FORWARDED, WRITE_DECISIONS, DecisionBook
from persistence.demands import Demand
from persistence.errors import has_timed_out, is_lost, is_transient
from persistence.records import BegunRecord, DecisionRecord, RequestKey
from persistence.runs import WRITE_RUNS, RunBook
from persistence.slots import SlotBook
from persistence.states import WRITE_ARTIFACTS, WRITE_STATES, StateLog
from persistence.user_sql import UserSql
from rules.moments import utc_now
from rules.runs import FlowRun, Run, TaskRun
from rules.states import State, StateType

_OUTCOMES = WrittenTogether(WRITE_STATES, WRITE_ARTIFACTS, WRITE_RUNS, WRITE_DECISIONS)


class Session:
    """One transaction over a batch of requests; implements ``rules.session.TransactionalSession``.

    What the demands name is locked and loaded at the start; all that changes is kept in memory
    and written at the end, in a number of statements that does not grow with the batch. A run that
    no demand named is read when a rule asks for it, without a lock: changed here and elsewhere at
    the same time, it fails the transaction, which is then to be repeated.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._runs = RunBook(connection)
        self._states = StateLog()
        self._slots = SlotBook(connection)
        self._cache = StateCache(connection)
        self._decisions = DecisionBook(connection)
        self._letters: list[DeadLetter] = []
        self._sql = UserSql(connection)

    @classmethod
    async def open(cls, connection: AsyncConnection, demands: Sequence[Demand]) -> Self:
        """Lock and load what the demands need, in a transaction that has just begun.

        The order of locks is that of all sessions: known runs, then new ones, both in id order,
        then limits in tag order. What others may be writing at this moment is read after the locks.
        """
        session = cls(connection)
        await session._runs.open(demands, utc_now())
        await session._slots.open(
            session._tags_to_run(demands),
            [run.id for run in session._runs.loaded if isinstance(run, TaskRun)],
        )
        session._cache.open({each.cache_key for each in demands if each.cache_key and _runs(each)})
        await session._decisions.open(demands)
        return session

    async def finish(self) -> None:
        """Write all that is pending; the commit is the owner's."""
        await self.write_rules_sql()
        await self._write(earlier=False)
        await self._runs.finish()

    async def write_rules_sql(self) -> None:
        """Write what the last rule's ``AsyncSession`` holds, which is the rule's work and time."""
        if self._sql.was_used:
            # A rule may have hidden that its SQL failed. PostgreSQL then answers every statement
            # with an error, but a commit with a silent rollback.
            await self._connection.execute(select(1))
        await self._sql.release()

    def begin_request(self) -> None:  # noqa: D102  the port says it
        self._sql.end()
        self._runs.begin()
        self._states.begin()
        self._slots.begin()
        self._cache.begin()

    async def undo_request(self) -> None:  # noqa: D102  the port says it
        rolled_back = await self._sql.roll_back()
        self._runs.undo(rolled_back=rolled_back)
        self._states.undo()
        self._slots.undo(rolled_back=rolled_back)
        self._cache.undo()

    def make_run(self, described: Run) -> Run:
        """The run as the session has it, made as described where it is unknown or bare.

        To be called before ``begin_request``: that a run was made is not undone with a request.

        Raises:
            NotDemandedError: none of the session's demands creates it.
        """
        return self._runs.make(described)

    async def run(self, run_id: UUID) -> Run | None:
        """The run of that id, of whatever kind; None where there is none, or none made yet."""
        return await self._runs.find(run_id)

    async def flow_run(self, flow_run_id: UUID) -> FlowRun | None:  # noqa: D102  the port says it
        run = await self._runs.find(flow_run_id)
        return run if isinstance(run, FlowRun) else None

    async def task_run(self, task_run_id: UUID) -> TaskRun | None:  # noqa: D102  the port says it
        run = await self._runs.find(task_run_id)
        return run if isinstance(run, TaskRun) else None

    async def failed_task_runs(self, flow_run_id: UUID) -> Sequence[TaskRun]:  # noqa: D102  the port says it
        return await self._runs.failed_task_runs(flow_run_id)

    async def concurrency_limits(self, tags: Collection[str]) -> Mapping[str, int]:
        """The limit of each of these tags that has one, locked until the transaction ends."""
        return await self._slots.limits(tags)

    async def slots_taken(self, tags: Collection[str]) -> Mapping[str, int]:  # noqa: D102  the port says it
        return await self._slots.taken(tags)

    async def slots_held(self, task_run_id: UUID) -> frozenset[str]:  # noqa: D102  the port says it
        return await self._slots.held(task_run_id)

    def take_slots(self, task_run_id: UUID, tags: Collection[str]) -> None:  # noqa: D102  the port says it
        self._slots.change(task_run_id, tags, taken=True)

    def release_slots(self, task_run_id: UUID, tags: Collection[str]) -> None:  # noqa: D102  the port says it
        self._slots.change(task_run_id, tags, taken=False)

    async def cached_state(self, cache_key: str, now: datetime) -> State | None:  # noqa: D102  the port says it
        return await self._cache.find(cache_key, now)

    def remember_state(  # noqa: D102  the port says it
        self, cache_key: str, state: State, expiration: datetime | None
    ) -> None:
        self._cache.remember(CachedState(cache_key, state, expiration))

    def write_state(self, run: Run, state: State) -> None:  # noqa: D102  the port says it
        run.state = state
        run.version += 1
        self._states.add_state(run.id, run.version, state)

    def write_artifact(self, run: Run, state: State) -> None:  # noqa: D102  the port says it
        self._states.add_artifact(run.id, state)

    async def sql(self) -> AsyncSession:  # noqa: D102  the port says it
        sql = self._sql.current
        if sql is None:
            await self._sql.release()
            await self._write(earlier=True)
            sql = await self._sql.open()
            self._runs.remember_stored()
        await self._write(earlier=False)
        return sql

    def is_transient(self, error: BaseException) -> bool:
        """Whether the error says nothing about the request, the loss of the database included.

        A statement that took too long does while a rule has its own SQL: it would take as long
        again, for ever.
        """
        if has_timed_out(error) and self._sql.current is not None:
            return False
        return is_transient(error) or is_lost(error)

    def recorded(self, request_id: str, attempt: int) -> DecisionRecord | None:
        """The decision on record, of this session too; None where there is none.

        Raises:
            NotDemandedError: no demand named this attempt.
        """
        return self._decisions.recorded((request_id, attempt))

    def begun(self, request_id: str, attempt: int) -> BegunRecord | None:
        """What was counted of an attempt that came from the ladder; None where nothing was.

        Raises:
            NotDemandedError: no demand named this attempt.
        """
        return self._decisions.begun((request_id, attempt))

    def is_replayed(self, request_id: str, attempt: int) -> bool:
        """Whether the attempt's dead letter is being or was replayed as the next attempt.

        Known of an attempt that a demand's message claims to come after.
        """
        return self._decisions.is_replayed((request_id, attempt))

    def record(self, record: DecisionRecord) -> None:
        """Put a decision on record; should another transaction be first, this one fails."""
        self._decisions.record(record)

    def mark_forwarded(self, keys: Iterable[RequestKey]) -> None:
        """Mark decisions whose delayed request or dead letter the broker has confirmed."""
        self._decisions.mark_forwarded(keys)

    def keep_letters(self, letters: Iterable[DeadLetter]) -> None:
        """Put dead letters on record; one that is there already is left as it is."""
        self._letters += letters

    async def _write(self, *, earlier: bool) -> None:
        now = utc_now()
        states, artifacts = self._states.take(now, earlier=earlier)
        runs = await self._runs.take(earlier=earlier)
        decisions, marks = self._decisions.take()
        await _OUTCOMES.execute(self._connection, states, artifacts, runs, decisions)
        if marks:
            await MARK_FORWARDED.execute(self._connection, marks)
        await self._slots.write(now, earlier=earlier)
        await self._cache.write(now, earlier=earlier)
        if self._letters:
            letters, self._letters = self._letters, []
            await enter_letters(self._connection, letters, now)

    def _tags_to_run(self, demands: Sequence[Demand]) -> set[str]:
        """The tags of the task runs that are to run."""
        running = {each.run_id for each in demands if _runs(each)}
        wanted = [run for run in self._runs.loaded if run.id in running]
        wanted += [each.create for each in demands if each.create is not None and _runs(each)]
        return {tag for run in wanted if isinstance(run, TaskRun) for tag in run.tags}


def _runs(demand: Demand) -> bool:
    return demand.proposes is StateType.RUNNING
