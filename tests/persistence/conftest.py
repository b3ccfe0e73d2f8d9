"""Databases with the schema in place."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.database import Database, open_database
from persistence.engine import open_engine
from persistence.migrating import upgrade
from tests.persistence.provoking import HASTY


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> AsyncEngine:
    """An engine of either kind."""
    fixture = "sqlite_engine" if request.param == "sqlite" else "postgres_engine"
    return cast("AsyncEngine", request.getfixturevalue(fixture))


@pytest.fixture
def database(engine: AsyncEngine) -> Database:
    """A database of either kind."""
    return Database(engine)


@pytest.fixture
async def postgres_engine(migrated_postgres_url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(migrated_postgres_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def postgres_database(postgres_engine: AsyncEngine) -> Database:
    return Database(postgres_engine)


@pytest.fixture
async def sqlite_engine(sqlite_url: str) -> AsyncIterator[AsyncEngine]:
    await asyncio.to_thread(upgrade, sqlite_url)
    engine = open_engine(sqlite_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def sqlite_database(sqlite_engine: AsyncEngine) -> Database:
    return Database(sqlite_engine)


@pytest.fixture
async def hasty(migrated_postgres_url: str) -> AsyncIterator[Database]:
    """A PostgreSQL with short time limits."""
    async with open_database(migrated_postgres_url, HASTY) as database:
        yield database
