"""What a person is told when something is wrong at the start: one line each, exit code 1."""

from pathlib import Path

import pytest
from yarl import URL

from tests.integration.processes import Ended, pointsman
from tests.integration.world import PARTITIONS, World
from tests.servers.vhosts import Vhost

NOBODY = "amqp://guest:secret-word@127.0.0.1:1/"
NO_DATABASE = "postgresql+asyncpg://postgres:secret-word@127.0.0.1:1/postgres"


def the_line(ended: Ended) -> str:
    assert ended.code == 1
    assert ended.out == ""
    [line] = ended.err.strip().splitlines()
    assert "secret-word" not in line
    return line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", "many"),
        ("batch_size", "0"),
        ("partitions", "257"),
        ("amqp_url", "http://localhost"),
        ("database_url", "mysql://localhost/x"),
        ("log_level", "loud"),
        ("processing_seconds", "-1"),
        ("task_policy", "nowhere:Policy"),
        ("flow_policy", "rules.states:State"),
    ],
)
async def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    assert f"POINTSMAN_{name.upper()}" in the_line(await pointsman("consume", **{name: value}))


@pytest.mark.parametrize(
    "command", ["consume", "topology check", "decisions tail", "propose task new RUNNING"]
)
async def test_no_broker(world: World, command: str) -> None:
    settings = world.settings | {"amqp_url": NOBODY}
    line = the_line(await pointsman(*command.split(), **settings))
    assert "127.0.0.1:1" in line
    assert "POINTSMAN_AMQP_URL" in line


async def test_a_broker_that_refuses_the_password(world: World) -> None:
    wrong = str(URL(world.amqp_url).with_password("secret-word"))
    line = the_line(await pointsman("consume", **world.settings | {"amqp_url": wrong}))
    assert "POINTSMAN_AMQP_URL" in line


@pytest.mark.parametrize("command", ["consume", "db check", "db upgrade", "topology declare"])
async def test_no_database(vhost: Vhost, command: str) -> None:
    ended = await pointsman(*command.split(), amqp_url=vhost.url, database_url=NO_DATABASE)
    assert "POINTSMAN_DATABASE_URL" in the_line(ended)


@pytest.mark.parametrize("command", ["consume", "db check", "topology declare"])
async def test_a_database_without_the_schema(vhost: Vhost, database_url: str, command: str) -> None:
    ended = await pointsman(*command.split(), amqp_url=vhost.url, database_url=database_url)
    assert "pointsman db upgrade" in the_line(ended)


async def test_a_data_folder_that_can_not_be_made(vhost: Vhost, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    url = f"sqlite+aiosqlite:///{tmp_path / 'file' / 'below.db'}"
    ended = await pointsman("db", "upgrade", amqp_url=vhost.url, database_url=url)
    assert "POINTSMAN_DATABASE_URL" in the_line(ended)


async def test_another_number_of_partitions_than_was_declared(world: World) -> None:
    line = the_line(await pointsman("consume", **world.settings | {"partitions": "4"}))
    assert f"POINTSMAN_PARTITIONS to {PARTITIONS}" in line


async def test_a_request_to_a_broker_without_the_topology(vhost: Vhost) -> None:
    ended = await pointsman("propose", "task", "new", "RUNNING", amqp_url=vhost.url)
    assert "pointsman topology declare" in the_line(ended)


async def test_a_usage_error_is_exit_code_2() -> None:
    ended = await pointsman("propose", "job", "new", "RUNNING")
    assert ended.code == 2
