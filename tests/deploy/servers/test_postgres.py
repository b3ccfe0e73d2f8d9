"""A database server that a test may kill, stop and freeze."""

import asyncio
from collections.abc import Callable

import asyncpg
import pytest

from deploy.servers import PostgresServer
from deploy.servers.errors import CommandFailedError


@pytest.fixture(scope="module")
def server(own_postgres: Callable[[], PostgresServer]) -> PostgresServer:
    return own_postgres()


def test_a_killed_server_comes_back_at_its_address_with_what_was_committed(
    server: PostgresServer,
) -> None:
    url = server.create_database("kept")
    server.run_sql("CREATE TABLE seen AS SELECT 7 AS number", "kept")

    server.kill()
    assert not server.machine.is_running()
    server.start_again()

    assert server.url_of("kept") == url
    assert server.run_sql("SELECT number FROM seen", "kept").strip() == "7"


async def test_a_frozen_server_answers_when_it_goes_on(server: PostgresServer) -> None:
    url = server.url_of("postgres").replace("+asyncpg", "")
    connection = await asyncpg.connect(url)
    server.pause()
    question = asyncio.create_task(connection.fetchval("SELECT 1"))
    finished, _ = await asyncio.wait([question], timeout=0.2)
    assert not finished
    server.unpause()
    assert await question == 1
    await connection.close()


def test_a_database_is_a_copy_of_its_template_and_can_be_dropped(server: PostgresServer) -> None:
    server.create_database("pattern")
    server.run_sql("CREATE TABLE kept (id int)", "pattern")
    server.create_database("copy", template="pattern")
    assert server.run_sql("SELECT count(*) FROM kept", "copy").strip() == "0"

    server.drop_database("copy")
    with pytest.raises(CommandFailedError, match='"copy" does not exist'):
        server.run_sql("SELECT 1", "copy")
