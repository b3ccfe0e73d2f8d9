"""The statements that an engine sends, caught as they go."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


class Sent(NamedTuple):
    """A statement's text, and its parameters, of several rows the first one's."""

    text: str
    parameters: tuple[Any, ...]


@contextmanager
def caught(engine: AsyncEngine) -> Iterator[list[str]]:
    """The statements' texts, one for each that is sent, however many rows it writes."""
    sent: list[str] = []

    def catch(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", catch)
    try:
        yield sent
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", catch)


@contextmanager
def caught_whole(engine: AsyncEngine) -> Iterator[list[Sent]]:
    """The statements with their parameters, as they go to the driver."""
    sent: list[Sent] = []

    def catch(_connection: Any, _cursor: Any, statement: str, values: Any, *rest: Any) -> None:
        _, many = rest
        sent.append(Sent(statement, tuple(values[0] if many else values)))

    event.listen(engine.sync_engine, "before_cursor_execute", catch)
    try:
        yield sent
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", catch)
