"""The statements that an engine sends, caught as they go."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


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
