"""The transactional session: what rules may ask of storage, and do to it, in one transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from rules.runs import FlowRun, Run, TaskRun
from rules.states import State


class TransactionalSession(Protocol):
    """One transaction over a batch of requests, governed one after the other.

    Every read sees what the requests before it wrote. Runs come as the session's own objects:
    the same run is the same object each time, and what is changed on it is written at the end.
    Nothing is final before the session's owner commits.
    """

    def begin_request(self) -> None:
        """Let what changes from here on belong to one request, until the next call.

        A run belongs to the request from when the session hands it out after this call.
        """

    async def undo_request(self) -> None:
        """Take back all that changed since ``begin_request``, on the runs' objects too."""

    async def flow_run(self, flow_run_id: UUID) -> FlowRun | None:
        """The flow run of that id, None where there is none."""

    async def task_run(self, task_run_id: UUID) -> TaskRun | None:
        """The task run of that id, None where there is none."""

    async def failed_task_runs(self, flow_run_id: UUID) -> Sequence[TaskRun]:
        """The flow run's task runs whose current state is FAILED, in id order."""

    async def concurrency_limits(self, tags: Collection[str]) -> Mapping[str, int]:
        """The limit of each of these tags that has one."""

    async def slots_taken(self, tags: Collection[str]) -> Mapping[str, int]:
        """How many task runs hold a slot of each of these tags, counted from the holders."""

    async def slots_held(self, task_run_id: UUID) -> frozenset[str]:
        """The tags of which the task run holds a slot."""

    def take_slots(self, task_run_id: UUID, tags: Collection[str]) -> None:
        """Make the task run a holder of one slot of each of these limited tags, its own."""

    def release_slots(self, task_run_id: UUID, tags: Collection[str]) -> None:
        """Take the task run off the holders of these tags; not to hold one is no error."""

    async def cached_state(self, cache_key: str, now: datetime) -> State | None:
        """The newest COMPLETED state remembered under the key and not expired at ``now``."""

    def remember_state(self, cache_key: str, state: State, expiration: datetime | None) -> None:
        """Remember a written state under a cache key, until ``expiration`` or for ever."""

    def write_state(self, run: Run, state: State) -> None:
        """Write the state and let the run point at it; the run's version grows by one."""

    def write_artifact(self, run: Run, state: State) -> None:
        """Keep the written state's ``data`` as an artifact of the run."""

    async def sql(self) -> Any:
        """The SQLAlchemy ``AsyncSession`` on this same transaction, for rules with own tables.

        What is pending is written first, and a savepoint is opened for the request, rolled back
        unless the answer is accept or reject. A hook can run more than once for one request (a
        batch that failed is governed again), so what it does here must bear repetition.
        """

    def is_transient(self, error: BaseException) -> bool:
        """Whether a storage error need not come again when the transaction is repeated."""
