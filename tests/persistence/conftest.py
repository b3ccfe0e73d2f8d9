"""Databases with the schema in place."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.database import Database, open_database
from persistence.engine import open_engine
from persistence.migrating import upgrade
from tests.persistence.provoking import HASTY


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine of either kind."""
    async for opened in _migrated(database_url):
        yield opened


@pytest.fixture
def database(engine: AsyncEngine) -> Database:
    """A database of either kind."""
    return Database(engine)


@pytest.fixture
async def postgres_engine(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    async for opened in _migrated(postgres_url):
        yield opened


@pytest.fixture
def postgres_database(postgres_engine: AsyncEngine) -> Database:
    return Database(postgres_engine)


@pytest.fixture
async def sqlite_engine(sqlite_url: str) -> AsyncIterator[AsyncEngine]:
    async for opened in _migrated(sqlite_url):
        yield opened


@pytest.fixture
def sqlite_database(sqlite_engine: AsyncEngine) -> Database:
    return Database(sqlite_engine)


@pytest.fixture
async def hasty(postgres_url: str) -> AsyncIterator[Database]:
    """A PostgreSQL with short time limits."""
    await asyncio.to_thread(upgrade, postgres_url)
    async with open_database(postgres_url, HASTY) as database:
        yield database


async def _migrated(url: str) -> AsyncIterator[AsyncEngine]:
    await asyncio.to_thread(upgrade, url)
    engine = open_engine(url)
    try:
        yield engine
    finally:
        await engine.dispose()
