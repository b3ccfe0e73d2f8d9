"""Trying a transaction again for as long as its failure says nothing about the messages in it."""

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from persistence.errors import is_duplicate, is_lost, is_transient, is_unusable

log = structlog.get_logger(__name__)

T = TypeVar("T")

MAX_DUPLICATES = 20
_FIRST_WAIT_SECONDS = 0.02
_LONGEST_WAIT_SECONDS = 3.0
_FIRST_BROKER_WAIT_SECONDS = 0.2
_LONGEST_BROKER_WAIT_SECONDS = 10.0
_MAX_DOUBLINGS = 10


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


async def until_storage_answers(transaction: Callable[[], Awaitable[T]]) -> T:
    """Run a transaction, again and again where storage failed in passing.

    That goes on without end, since no message is to be blamed for it; but a row that is there
    already is believed after ``MAX_DUPLICATES`` tries, for a rule of a user's may have tables too.

    Raises:
        Exception: the transaction's own failure, or the last duplicate.
    """
    retrying = AsyncRetrying(
        retry=retry_if_exception(is_passing),
        stop=_is_duplicate_for_good,
        wait=wait_random_exponential(multiplier=_FIRST_WAIT_SECONDS, max=_LONGEST_WAIT_SECONDS),
        before_sleep=_tell,
        reraise=True,
    )

    async def attempt() -> T:
        return await transaction()

    return await retrying(attempt)


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


def _is_duplicate_for_good(state: RetryCallState) -> bool:
    error = _failure(state)
    return state.attempt_number >= MAX_DUPLICATES and error is not None and is_duplicate(error)


def _tell(state: RetryCallState) -> None:
    error = _failure(state)
    away = error is not None and (is_lost(error) or is_unusable(error))
    event = "database-away" if away else "transaction-repeated"
    log.warning(
        event,
        tries=state.attempt_number,
        error_type=type(error).__name__,
        error=str(error).partition("\n")[0],
    )
