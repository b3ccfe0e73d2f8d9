"""Servers and databases for tests. One that is missing fails the run; nothing is skipped."""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, settings

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
from persistence.migrating import upgrade
from tests.servers.certificates import Authority
from tests.servers.databases import fresh_database
from tests.servers.vhosts import Vhost, fresh_vhost


def pytest_configure() -> None:
    """Let log events be written as in production, and no example fail for being slow."""
    configure_logs(LogFormat.JSON, LogLevel.WARNING)
    slow = [HealthCheck.too_slow]
    settings.register_profile("untimed", deadline=None, suppress_health_check=slow)
    settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files whose tests may take longest, lest one process ends long after another.

    The order is a file's, so that no fixture of a module is made twice.
    """
    longest: dict[Path, float] = defaultdict(float)
    for item in items:
        longest[item.path] = max(longest[item.path], _seconds_allowed(item))
    items.sort(key=lambda item: -longest[item.path])


def _seconds_allowed(item: pytest.Item) -> float:
    """Its own time limit, 0 where it has none of its own."""
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker else 0.0


def pytest_collection_finish(session: pytest.Session) -> None:
    """Pull images, install packages and import now, where no test's time limit runs."""
    if "tests.integration.forked" in sys.modules:  # by a test that was collected
        sys.modules["tests.integration.forked"].get_ready()
    tests = [item for item in session.items if isinstance(item, pytest.Function)]
    needed = {name for test in tests for name in test.fixturenames}
    try:
        if needed & {"broker", "own_broker", "frail_broker", "tls_broker"}:
            find_rabbitmq()
        if needed & {"postgres", "own_postgres", "tls_postgres"}:
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


@pytest.fixture(scope="module")
def own_broker() -> Iterator[Callable[[], RabbitServer]]:
    """Starts brokers for tests that stop, kill or freeze theirs; each ends with its file."""
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
def schema_template(postgres: PostgresServer) -> str:
    """The name of a database with the schema in place: a copy takes less than migrations do."""
    name = "with_schema"
    upgrade(postgres.create_database(name))
    return name


@pytest.fixture
def migrated_postgres_url(postgres: PostgresServer, schema_template: str) -> Iterator[str]:
    """The URL of a fresh database on the shared server, with the schema in place."""
    with fresh_database(postgres, schema_template) as url:
        yield url


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[Callable[[], PostgresServer]]:
    """Starts servers for tests that stop, kill or freeze theirs; each ends with its file."""
    with ExitStack() as started:
        yield lambda: started.enter_context(postgresql(durable=False))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The CA of the servers that speak TLS, and of the clients that they let in."""
    return Authority(tmp_path_factory.mktemp("certificates"), "ours")


@pytest.fixture(scope="session")
def tls_broker(authority: Authority) -> Iterator[RabbitServer]:
    """A RabbitMQ that all tests share; its listener for TLS demands certificates of clients."""
    with rabbitmq(authority.server()) as server:
        yield server


@pytest.fixture(scope="session")
def tls_postgres(authority: Authority) -> Iterator[PostgresServer]:
    """A PostgreSQL that all tests share; it demands TLS, certificates of clients and passwords."""
    with postgresql(durable=False, tls=authority.server()) as server:
        yield server


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite database whose file does not exist yet."""
    return f"sqlite+aiosqlite:///{tmp_path / 'pointsman.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh, empty database of either kind."""
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return cast("str", request.getfixturevalue(fixture))
