"""Whatever is wrong with a URL, no command tells a password that stands in it."""

from collections.abc import Callable

import pytest
from yarl import URL

from tests.consumer.commands.conftest import InDatabase, Invoke
from tests.servers.vhosts import Vhost

SECRET = "s3cret"  # noqa: S105  a password of no one's
RUN = "01a1fc9a-6f5f-7c26-9b3a-0f0f1a2b3c4d"
COMMANDS = (
    "consume",
    "check",
    "check --json",
    "db check",
    "db upgrade",
    "db prune --json",
    "topology declare",
    "topology check --json",
    "propose task new RUNNING --json",
    "limits set one 1",
    "limits list --json",
    f"runs show {RUN} --json",
    "dead-letters list --json",
    "dead-letters replay --yes --json",
    "demo",
)
AWAY = "amqp://user:s3cret@127.0.0.1:1/"
DATABASE_AWAY = "postgresql+asyncpg://user:s3cret@127.0.0.1:1/runs"

Told = Callable[..., str]


@pytest.fixture(params=["json", "console"])
def told(request: pytest.FixtureRequest, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> Told:
    """All that the commands say, at the most talkative level, with these settings."""

    def tell(*commands: str, **settings: str) -> str:
        monkeypatch.setenv("POINTSMAN_LOG_LEVEL", "debug")
        monkeypatch.setenv("POINTSMAN_LOG_FORMAT", request.param)
        monkeypatch.setenv("POINTSMAN_HTTP_PORT", "0")
        for name, value in settings.items():
            monkeypatch.setenv(f"POINTSMAN_{name.upper()}", value)
        said = []
        for command in commands:
            result = invoke(*command.split())
            assert result.exception is None or isinstance(result.exception, SystemExit)
            assert "Traceback" not in result.output, command
            said.append(result.output)
        return "\n".join(said)

    return tell


@pytest.mark.parametrize(
    "url",
    [
        "amqp://user:s3cret@host:port/",
        "amqp://user:s3cret@host:99999/",
        "amqp://user:s3cret/s3cret@host/",
        "amqp://user:12/s3cret@host/",
        "amqp://user:12?s3cret@host/",
        "amqp://user:12#s3cret@host/",
        "amqp://user:s3cret@[::1/",
        "amqp://user:s3cret@/",
        "amqps://user:s3cret@host/?no_verify_ssl=1",
        "amqp://user:s3cret@host/?cafile=x",
        "user:s3cret@host",
        "http://user:s3cret@host/",
    ],
)
def test_a_broker_s_url_that_can_not_be_used(told: Told, url: str) -> None:
    said = told(*COMMANDS, amqp_url=url)

    assert said.count("POINTSMAN_AMQP_URL") == len(COMMANDS)
    assert SECRET not in said
    assert "12" not in said.replace("127.0.0.1", "")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://user:s3cret@host:port/runs",
        "postgresql+asyncpg://user:p@s3cret@127.0.0.1:1/runs",
        "postgresql+asyncpg://user:12/s3cret@127.0.0.1:1/runs",
        "postgresql+asyncpg://user:s3cret?s3cret@127.0.0.1:1/runs",
        "postgresql+asyncpg://user:s3cret@127.0.0.1:1",
        "postgresql+asyncpg://user@127.0.0.1:1/runs?password=s3cret&sslmode=s3cret",
        "postgresql+asyncpg://user@127.0.0.1:1/runs?passwd=s3cret",
        "mysql+aiomysql://user:s3cret@host/runs",
        "sqlite+aiosqlite://user:s3cret@host/runs.db",
        "user:s3cret@host",
    ],
)
def test_a_database_s_url_that_can_not_be_used(told: Told, url: str) -> None:
    said = told(*COMMANDS, amqp_url=AWAY, database_url=url)

    assert "URL" in said
    assert SECRET not in said


@pytest.mark.parametrize(
    "database_url",
    [
        DATABASE_AWAY,
        "postgresql+asyncpg://user@127.0.0.1:1/runs?password=s3cret",
        "postgresql+asyncpg://user:s3cret@nowhere.invalid/runs",
        "postgresql+asyncpg://user:s3cret@127.0.0.1:1/runs?ssl=verify-full",
        "postgresql+asyncpg://user:s3%40cret@127.0.0.1:1/runs",
    ],
)
def test_servers_that_are_away(told: Told, database_url: str) -> None:
    said = told(*COMMANDS, amqp_url=AWAY, database_url=database_url)

    assert "can't be reached" in said
    assert "can't reach the broker" in said
    assert SECRET not in said
    assert "s3@cret" not in said


def test_a_broker_that_refuses_the_password_or_the_virtual_host(
    told: Told, vhost: Vhost, in_database: InDatabase
) -> None:
    del in_database
    mine = URL(vhost.url)
    for url in (mine.with_password(SECRET), mine.with_user("nobody").with_password(SECRET)):
        said = told(*COMMANDS, amqp_url=str(url))
        assert "check" in said
        assert SECRET not in said

    said = told(*COMMANDS, amqp_url=str(mine.with_path("/nowhere")))

    assert str(mine.password) not in said


def test_a_check_of_servers_that_answer_shows_what_is_set_without_passwords(
    told: Told, vhost: Vhost, in_database: InDatabase
) -> None:
    del in_database
    said = told("check", "check --json", amqp_url=vhost.url)

    assert "POINTSMAN_AMQP_URL" in said
    assert str(URL(vhost.url).password) not in said
