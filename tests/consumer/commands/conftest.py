"""Commands in this process, over a SQLite database of the test's own."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest
import structlog
from click.testing import CliRunner, Result

from consumer.commands.group import cli
from persistence.database import Database, open_database
from persistence.migrating import upgrade

T = TypeVar("T")

Invoke = Callable[..., Result]
InDatabase = Callable[[Callable[[Database], Awaitable[object]]], None]


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("POINTSMAN_"):
            monkeypatch.delenv(name)


@pytest.fixture
def invoke(unset: None, monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> Iterator[Invoke]:
    """Runs ``pointsman`` with these arguments, on the test's database, reading ``stdin``."""
    del unset
    monkeypatch.setenv("POINTSMAN_DATABASE_URL", sqlite_url)
    before = structlog.get_config()
    yield lambda *arguments, stdin=b"": CliRunner().invoke(
        cli, [str(each) for each in arguments], input=stdin
    )
    structlog.configure(**before)


@pytest.fixture
def in_database(sqlite_url: str) -> InDatabase:
    """Does something in the database, which has its schema."""
    upgrade(sqlite_url)

    async def do(work: Callable[[Database], Awaitable[object]]) -> None:
        async with open_database(sqlite_url) as database:
            await work(database)

    return lambda work: asyncio.run(do(work))
