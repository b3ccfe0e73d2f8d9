"""Trying a transaction again for as long as its failure says nothing about the messages in it."""

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from consumer.health.measures.storage import RepeatCause, StorageMeasures
from consumer.health.readiness import Obstacle, Readiness
from persistence.errors import is_duplicate, is_lost, is_transient, is_unusable

log = structlog.get_logger(__name__)

T = TypeVar("T")

MAX_DUPLICATES = 20
_FIRST_WAIT_SECONDS = 0.02
_LONGEST_WAIT_SECONDS = 3.0
_FIRST_BROKER_WAIT_SECONDS = 0.2
_LONGEST_BROKER_WAIT_SECONDS = 10.0
_MAX_DOUBLINGS = 10
_NO_STORAGE = frozenset({RepeatCause.AWAY, RepeatCause.UNUSABLE})


def growing_wait(tries: int) -> float:
    """How many seconds to wait for the broker after so many tries, twice as long each time."""
    return min(
        math.ldexp(_FIRST_BROKER_WAIT_SECONDS, min(tries, _MAX_DOUBLINGS)),
        _LONGEST_BROKER_WAIT_SECONDS,
    )


class SlowStorageError(Exception):
    """A batch's time was over while storage, and no rule, was at work."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"storage alone took longer than the {seconds:g} s that a batch may take")


class Patience:
    """Waits for storage as long as it takes, and lets it be known that there is none."""

    def __init__(self, readiness: Readiness, measures: StorageMeasures | None = None) -> None:
        self._readiness = readiness
        self._measures = measures or StorageMeasures()
        self._waiting = 0

    @property
    def is_tried(self) -> bool:
        """Whether a transaction waits for storage that is away."""
        return self._waiting > 0

    async def until_storage_answers(self, transaction: Callable[[], Awaitable[T]]) -> T:
        """Run a transaction, again and again where storage failed in passing.

        That goes on without end, since no message is to be blamed for it; but a row that is there
        already is believed when it was found ``MAX_DUPLICATES`` times, for a rule of a user's may
        have tables too.

        Raises:
            Exception: the transaction's own failure, or the last duplicate.
        """
        waits = False

        def note(state: RetryCallState) -> None:
            nonlocal waits
            error = _failure(state)
            cause = repeat_cause(error)
            self._measures.repeated(cause)
            _tell(state.attempt_number, error, cause)
            if cause in _NO_STORAGE and not waits:
                waits = True
                self._waiting += 1
                self._readiness.hinder(Obstacle.DATABASE, _first_line(error))

        async def attempt() -> T:
            return await transaction()

        retrying = AsyncRetrying(
            retry=retry_if_exception(is_passing),
            stop=_DuplicatesForGood(),
            wait=wait_random_exponential(multiplier=_FIRST_WAIT_SECONDS, max=_LONGEST_WAIT_SECONDS),
            before_sleep=note,
            reraise=True,
        )
        try:
            result: T = await retrying(attempt)
        finally:
            self._waiting -= waits
        if not self._waiting:
            self._readiness.clear(Obstacle.DATABASE)
        return result


def is_passing(error: BaseException) -> bool:
    """Whether a failure says nothing about the messages at hand."""
    return (
        isinstance(error, SlowStorageError)
        or is_lost(error)
        or is_unusable(error)
        or is_transient(error)
        or is_duplicate(error)
    )


def _failure(state: RetryCallState) -> BaseException | None:
    return None if state.outcome is None else state.outcome.exception()


class _DuplicatesForGood:
    """Stops at so many duplicates, however often something else failed in between."""

    def __init__(self) -> None:
        self._found = 0

    def __call__(self, state: RetryCallState) -> bool:
        error = _failure(state)
        self._found += error is not None and is_duplicate(error)
        return self._found >= MAX_DUPLICATES


def repeat_cause(error: BaseException | None) -> RepeatCause:
    """What let a transaction fail in passing."""
    if error is None or isinstance(error, SlowStorageError):
        return RepeatCause.SLOW
    if is_lost(error):
        return RepeatCause.AWAY
    if is_unusable(error):
        return RepeatCause.UNUSABLE
    return RepeatCause.DUPLICATE if is_duplicate(error) else RepeatCause.CONTENTION


def _tell(tries: int, error: BaseException | None, cause: RepeatCause) -> None:
    event = "database-away" if cause in _NO_STORAGE else "transaction-repeated"
    log.warning(event, tries=tries, error_type=type(error).__name__, error=_first_line(error))


def _first_line(error: BaseException | None) -> str:
    return str(error).partition("\n")[0]
