"""Every command by TLS, with servers that let in only who has a certificate."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiormq.abc import DeliveredMessage
from pamqp import commands
from pydantic_core import from_json, to_json

from consumer.broker.connection import BrokerConnection, connect
from consumer.settings import Settings
from consumer.topology.names import REQUESTS
from deploy.servers import PostgresServer, RabbitServer
from tests.integration.processes import consuming, pointsman
from tests.integration.test_refusals import the_line
from tests.integration.world import PARTITIONS, proposal
from tests.servers.certificates import Authority
from tests.servers.databases import fresh_database
from tests.servers.vhosts import Vhost, fresh_vhost

Environment = dict[str, object]
DIRECT_REPLY = "amq.rabbitmq.reply-to"
VERSIONS = (
    "SELECT DISTINCT version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
    " WHERE application_name = 'pointsman'"
)
PROPOSE = ("propose", "task", "new", "RUNNING", "--create", "{}")


@pytest.fixture(scope="module")
def tls_vhost(tls_broker: RabbitServer) -> Iterator[Vhost]:
    with fresh_vhost(tls_broker) as fresh:
        yield fresh


@pytest.fixture(scope="module")
def settings(
    authority: Authority, tls_vhost: Vhost, tls_postgres: PostgresServer
) -> Iterator[Environment]:
    """All that TLS needs on both sides."""
    held = authority.issue("pointsman")
    files = {"ca": authority.file, "cert": held.certificate, "key": held.key}
    with fresh_database(tls_postgres) as url:
        yield {
            "amqp_url": tls_vhost.server.tls_url_of(tls_vhost.name),
            **{f"amqp_{part}": file for part, file in files.items()},
            "database_url": url,
            **{f"database_{part}": file for part, file in files.items()},
            "partitions": PARTITIONS,
        }


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def prepared(settings: Environment) -> Environment:
    """With the schema and the topology in place, for tests that do not mind each other's runs."""
    for command in ("db upgrade", "topology declare"):
        ended = await pointsman(*command.split(), **settings)
        assert (ended.code, ended.err) == (0, "")
    return settings


async def connections(vhost: Vhost) -> dict[str, int]:
    """How many there are by which protocol."""
    listed = await asyncio.to_thread(
        vhost.server.run_ctl, "list_connections", "--no-table-headers", "vhost", "ssl_protocol"
    )
    rows = [line.split("\t") for line in listed.splitlines()]
    protocols = [protocol for name, protocol in rows if name == vhost.name]
    return {protocol: protocols.count(protocol) for protocol in protocols}


async def decided(connection: BrokerConnection, body: dict[str, Any]) -> str:
    """What was decided, by direct reply-to, for which a consumer opens another connection."""
    answers: asyncio.Queue[DeliveredMessage] = asyncio.Queue()
    async with connection.channel() as channel:
        await channel.basic_consume(DIRECT_REPLY, answers.put, no_ack=True)
        asked = commands.Basic.Properties(message_id="asked", reply_to=DIRECT_REPLY)
        await channel.basic_publish(to_json(body), exchange=REQUESTS, properties=asked)
        decision: dict[str, Any] = from_json((await answers.get()).body)
    return str(decision["decision"])


async def test_requests_are_governed_by_tls_alone(
    prepared: Environment, tls_vhost: Vhost, tls_postgres: PostgresServer
) -> None:
    broker = Settings.from_environment(**prepared).broker
    async with consuming(**prepared):
        connection = await connect(broker, "test")
        assert await decided(connection, proposal("RUNNING", create={})) == "accept"

        # A consumer's three and ours; a plain one would have no version.
        assert await connections(tls_vhost) == {"tlsv1.3": 4}
        assert await asyncio.to_thread(tls_postgres.run_sql, VERSIONS) == "TLSv1.3\n"
        await connection.close()

        ended = await pointsman(*PROPOSE, **prepared)
        assert (ended.code, ended.out.partition("\n")[0]) == (0, "accept")


@pytest.mark.parametrize(
    "command",
    ["db check", "topology check", "limits set db 2", "limits list", "dead-letters list"],
)
async def test_commands_connect_by_tls(prepared: Environment, command: str) -> None:
    ended = await pointsman(*command.split(), **prepared)
    assert (ended.code, ended.err) == (0, "")


async def test_the_demo_is_given_by_tls(settings: Environment) -> None:
    ended = await pointsman("demo", **settings)
    assert (ended.code, ended.err.splitlines()[1:]) == (0, [])


@pytest.mark.parametrize("server", ["amqp", "database"])
@pytest.mark.parametrize("missing", ["ca", "cert"])
async def test_a_consumer_that_lacks_a_file_says_which(
    prepared: Environment, tmp_path: Path, server: str, missing: str
) -> None:
    theirs: Environment = {"ca": Authority(tmp_path, "theirs").file}
    files = theirs if missing == "ca" else {"cert": "", "key": ""}
    changed = {f"{server}_{part}": file for part, file in files.items()}

    line = the_line(await pointsman("consume", **prepared | changed))

    assert f"POINTSMAN_{server.upper()}_{missing.upper()}" in line


@pytest.mark.parametrize("command", ["consume", "limits list", "topology check", "propose"])
async def test_a_file_that_is_missing_stops_every_command(
    prepared: Environment, tmp_path: Path, command: str
) -> None:
    arguments = PROPOSE if command == "propose" else command.split()

    line = the_line(await pointsman(*arguments, **prepared | {"amqp_ca": tmp_path / "nowhere"}))

    assert "POINTSMAN_AMQP_CA: the file " in line
