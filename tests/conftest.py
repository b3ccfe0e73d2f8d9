"""Servers and databases for tests. One that is missing fails the run; nothing is skipped."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import pytest

from consumer.logs import configure_logs
from consumer.settings import LogFormat, LogLevel
from deploy.servers import (
    NoServerFoundError,
    PostgresServer,
    RabbitServer,
    find_postgresql,
    find_rabbitmq,
    postgresql,
    rabbitmq,
)
from tests.servers.databases import fresh_database
from tests.servers.vhosts import Vhost, fresh_vhost


def pytest_configure() -> None:
    """Let log events be written as in production, without the pictures for people."""
    configure_logs(LogFormat.JSON, LogLevel.WARNING)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Pull images and install packages now, where no test's time limit runs."""
    tests = [item for item in session.items if isinstance(item, pytest.Function)]
    needed = {name for test in tests for name in test.fixturenames}
    try:
        if needed & {"broker", "own_broker"}:
            find_rabbitmq()
        if needed & {"postgres", "own_postgres"}:
            find_postgresql()
    except NoServerFoundError as error:
        pytest.exit(str(error), returncode=1)


@pytest.fixture(scope="session")
def broker() -> Iterator[RabbitServer]:
    """A RabbitMQ that all tests share; it is not to be stopped."""
    with rabbitmq() as server:
        yield server


@pytest.fixture
def vhost(broker: RabbitServer) -> Iterator[Vhost]:
    """A fresh virtual host on the shared broker."""
    with fresh_vhost(broker) as fresh:
        yield fresh


@pytest.fixture(scope="session")
def own_broker() -> Iterator[Callable[[], RabbitServer]]:
    """Starts brokers for tests that stop, kill or freeze theirs; each is the caller's alone."""
    with ExitStack() as started:
        yield lambda: started.enter_context(rabbitmq())


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that all tests share; it is not to be stopped."""
    with postgresql(durable=False) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The URL of a fresh, empty database on the shared server."""
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture(scope="session")
def own_postgres() -> Iterator[Callable[[], PostgresServer]]:
    """Starts servers for tests that stop, kill or freeze theirs; each is the caller's alone."""
    with ExitStack() as started:
        yield lambda: started.enter_context(postgresql(durable=False))


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite database whose file does not exist yet."""
    return f"sqlite+aiosqlite:///{tmp_path / 'pointsman.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh, empty database of either kind."""
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return cast("str", request.getfixturevalue(fixture))
