import pytest

from tests.consumer.commands.conftest import Invoke
from tests.integration.processes import pointsman


def test_upgrade_tells_which_database_it_was(invoke: Invoke, sqlite_url: str) -> None:
    result = invoke("db", "upgrade")
    assert (result.exit_code, result.stderr) == (0, "")
    [line] = result.stdout.splitlines()
    assert line.startswith(f"the schema of {sqlite_url} is at revision ")


@pytest.mark.parametrize("command", ["db check", "db upgrade"])
@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql+asyncpg://user:secret@127.0.0.1:1/runs?sslmode=require", "'sslmode'"),
        ("postgresql+asyncpg://user:secret@127.0.0.1:1", "it names no database"),
        ("sqlite+aiosqlite:////tmp/pointsman.db?mode=ro", "'mode'"),
    ],
)
def test_a_url_that_can_not_be_used_is_told_in_one_line(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, command: str, url: str, told: str
) -> None:
    monkeypatch.setenv("POINTSMAN_DATABASE_URL", url)
    result = invoke(*command.split())
    assert (result.exit_code, result.stdout) == (1, "")
    [line] = result.stderr.splitlines()
    assert told in line
    assert "secret" not in line


async def test_a_consumer_is_not_started_on_such_a_url() -> None:
    url = "postgresql+asyncpg://user:secret@127.0.0.1:1/runs?sslmode=require"
    ended = await pointsman("consume", amqp_url="amqp://127.0.0.1:1/", database_url=url)
    assert (ended.code, ended.out) == (1, "")
    [line] = ended.err.splitlines()
    assert "'sslmode'" in line
