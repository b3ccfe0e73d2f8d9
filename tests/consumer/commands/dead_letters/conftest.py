"""Dead letters on record, for commands to look after."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from click.testing import Result
from pydantic_core import from_json

from persistence.database import Database
from persistence.dead_letters.listing import list_letters
from persistence.dead_letters.values import DeadLetter
from tests.consumer.commands.conftest import InDatabase, Invoke
from tests.persistence.records import record_letters

Recorded = Callable[..., list[UUID]]
Run = Callable[..., Result]
Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def recorded(in_database: InDatabase) -> Recorded:
    """Puts letters on record and tells their ids, in the same order."""

    def put(*letters: DeadLetter) -> list[UUID]:
        found: list[UUID] = []

        async def write(database: Database) -> None:
            await record_letters(database, *letters)
            ids = {each.letter_id: each.id for each in await list_letters(database)}
            found.extend(ids[each.letter_id] for each in letters)

        in_database(write)
        return found

    return put


@pytest.fixture
def run(invoke: Invoke) -> Run:
    """Runs ``pointsman dead-letters`` with these arguments."""
    return lambda *arguments, **options: invoke("dead-letters", *arguments, **options)


@pytest.fixture
def rows(run: Run) -> Rows:
    """The same with ``--json``, and what was printed."""

    def told(*arguments: object) -> list[dict[str, Any]]:
        result = run(*arguments, "--json")
        assert result.exit_code == 0, result.stderr
        read: list[dict[str, Any]] = from_json(result.stdout)
        return read

    return told
