from pathlib import Path

import pytest

from persistence.database import open_database
from persistence.errors import DatabaseInUse
from persistence.exclusive import only_consumer


async def test_a_second_consumer_on_a_sqlite_file_is_refused(sqlite_url: str) -> None:
    async with open_database(sqlite_url) as first, open_database(sqlite_url) as second:
        with (
            only_consumer(first),
            pytest.raises(DatabaseInUse, match="one at a time"),
            only_consumer(second),
        ):
            raise AssertionError


async def test_the_next_consumer_may_come_when_the_first_is_gone(sqlite_url: str) -> None:
    async with open_database(sqlite_url) as first, open_database(sqlite_url) as second:
        with only_consumer(first):
            pass
        with only_consumer(second):
            assert second.file == first.file


async def test_on_postgresql_there_may_be_many(postgres_url: str) -> None:
    async with open_database(postgres_url) as first, open_database(postgres_url) as second:
        with only_consumer(first), only_consumer(second):
            assert first.file is None


async def test_the_same_file_by_another_name_is_the_same(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "pointsman.db")
    other_url = f"sqlite+aiosqlite:///{tmp_path / 'link'}"
    async with open_database(sqlite_url) as first, open_database(other_url) as second:
        with only_consumer(first), pytest.raises(DatabaseInUse), only_consumer(second):
            raise AssertionError
