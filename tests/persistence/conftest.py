"""Databases with the schema in place."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from persistence.database import Database, open_database
from persistence.migrating import upgrade


async def migrated(url: str) -> str:
    """The same URL, once its database has the schema."""
    await asyncio.to_thread(upgrade, url)
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database of either kind."""
    async with open_database(await migrated(database_url)) as opened:
        yield opened


@pytest.fixture
async def postgres_database(postgres_url: str) -> AsyncIterator[Database]:
    async with open_database(await migrated(postgres_url)) as opened:
        yield opened


@pytest.fixture
async def sqlite_database(sqlite_url: str) -> AsyncIterator[Database]:
    async with open_database(await migrated(sqlite_url)) as opened:
        yield opened
