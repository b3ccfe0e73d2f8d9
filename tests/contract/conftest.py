"""The contract suite of ``TransactionalSession``: one suite over every kind of storage.

A kind is added by a fixture that yields a ``tests.contract.storage.Storage``, empty and of the
test's own, and by that fixture's name among the parameters here.
"""

from collections.abc import AsyncIterator

import pytest

from tests.contract.databases import storage_at
from tests.contract.storage import Storage
from tests.memory.storage import MemoryStorage
from tests.persistence.storage import DatabaseStorage


@pytest.fixture
def memory_storage() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
async def sqlite_storage(sqlite_url: str) -> AsyncIterator[DatabaseStorage]:
    async with storage_at(sqlite_url) as storage:
        yield storage


@pytest.fixture
async def postgres_storage(migrated_postgres_url: str) -> AsyncIterator[DatabaseStorage]:
    async with storage_at(migrated_postgres_url) as storage:
        yield storage


@pytest.fixture(params=["memory_storage", "sqlite_storage", "postgres_storage"])
def storage(request: pytest.FixtureRequest) -> Storage:
    made: Storage = request.getfixturevalue(request.param)
    return made
