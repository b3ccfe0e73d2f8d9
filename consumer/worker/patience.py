"""Trying a transaction again for as long as its failure says nothing about the messages in it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from persistence.errors import is_lost, is_transient

log = structlog.get_logger(__name__)

T = TypeVar("T")

MAX_CONFLICTS = 20
_FIRST_WAIT_SECONDS = 0.02
_LONGEST_WAIT_SECONDS = 3.0


async def until_storage_answers(transaction: Callable[[], Awaitable[T]]) -> T:
    """Run a transaction, again and again where storage failed in passing.

    A database that is away is waited for without end; a conflict with another transaction is
    given up after ``MAX_CONFLICTS`` tries.

    Raises:
        Exception: the transaction's own failure, or the last conflict.
    """
    retrying = AsyncRetrying(
        retry=retry_if_exception(is_passing),
        stop=_conflicts_without_end,
        wait=wait_random_exponential(multiplier=_FIRST_WAIT_SECONDS, max=_LONGEST_WAIT_SECONDS),
        before_sleep=_tell,
        reraise=True,
    )

    async def attempt() -> T:
        return await transaction()

    return await retrying(attempt)


def is_passing(error: BaseException) -> bool:
    """Whether a failure says nothing about the messages at hand."""
    return is_lost(error) or is_transient(error)


def _failure(state: RetryCallState) -> BaseException | None:
    return None if state.outcome is None else state.outcome.exception()


def _conflicts_without_end(state: RetryCallState) -> bool:
    error = _failure(state)
    return state.attempt_number >= MAX_CONFLICTS and error is not None and not is_lost(error)


def _tell(state: RetryCallState) -> None:
    error = _failure(state)
    event = "database-away" if error is not None and is_lost(error) else "transaction-repeated"
    log.warning(
        event,
        tries=state.attempt_number,
        error_type=type(error).__name__,
        error=str(error).partition("\n")[0],
    )
