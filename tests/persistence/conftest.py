"""Databases with the schema in place."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from persistence.database import Database
from persistence.engine import open_engine
from persistence.migrating import upgrade


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


async def _migrated(url: str) -> AsyncIterator[AsyncEngine]:
    await asyncio.to_thread(upgrade, url)
    engine = open_engine(url)
    try:
        yield engine
    finally:
        await engine.dispose()
