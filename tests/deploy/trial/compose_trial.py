"""The image really runs, as the compose file says: ``make image-test``.

Not among the tests that ``make test`` runs, since it needs an engine with ``docker compose``, the
image, and images of RabbitMQ and PostgreSQL.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from consumer.broker.connection import connect
from consumer.broker.errors import ChannelClosedByBroker
from consumer.broker.messages import Outgoing, Properties
from consumer.broker.publisher import Publisher
from consumer.health.endpoints import LIVE, READY
from consumer.topology.names import REQUESTS
from deploy.servers.ports import LOOPBACK
from tests.deploy.trial.composed import WAIT_SECONDS, Composed, composed, wait_until

pytestmark = pytest.mark.timeout(2 * WAIT_SECONDS)

TOO_LARGE = b"x" * 4_194_305


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    with composed(tmp_path_factory.mktemp("trial") / "secrets") as started:
        yield started


def status(services: Composed, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{services.http_port}{path}") as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def is_ready(services: Composed) -> bool:
    return status(services, READY) == 200


def test_the_consumer_becomes_healthy_and_ready(services: Composed) -> None:
    wait_until(lambda: services.is_healthy("consumer"))
    wait_until(lambda: is_ready(services))


def test_all_is_as_it_should_be(services: Composed) -> None:
    found = json.loads(services.run("exec", "-T", "consumer", "pointsman", "check", "--json"))
    assert [each["name"] for each in found if each["ok"] is False] == []


def test_a_request_is_decided(services: Composed) -> None:
    proposing = ("propose", "task", "new", "RUNNING", "--create", "{}", "--json")
    [decided] = json.loads(services.run("run", "--rm", "-T", "operator", *proposing))
    assert decided["decision"] == "accept"


def test_it_is_nobody_of_power_and_can_write_nothing(services: Composed) -> None:
    container = services.container("consumer")
    status_file = services.run("exec", "-T", "consumer", "cat", "/proc/1/status")
    told = dict(line.split(":\t", 1) for line in status_file.splitlines())
    assert set(told["Uid"].split()) == {"10001"}
    assert (told["CapEff"], told["CapBnd"]) == ("0" * 16, "0" * 16)
    assert told["NoNewPrivs"] == "1"
    assert container["HostConfig"]["ReadonlyRootfs"]


def test_no_password_is_in_the_environment(services: Composed) -> None:
    passwords = [file.read_text() for file in services.secrets.glob("*_password")]
    for service in ("consumer", "migrate", "rabbitmq", "postgres"):
        environment = str(services.container(service)["Config"]["Env"])
        assert not any(password in environment for password in passwords)


async def test_the_broker_takes_no_message_that_is_too_large(services: Composed) -> None:
    connection = await connect(services.url_of("operator"), "trial")
    too_large = Outgoing(
        exchange=REQUESTS, routing_key="00", body=TOO_LARGE, properties=Properties(message_id="m")
    )
    with pytest.raises(ChannelClosedByBroker, match="larger than"):
        await (await Publisher.open(connection)).publish([too_large])
    await connection.close()


def test_while_the_database_is_away_it_lives_and_is_not_ready(services: Composed) -> None:
    services.run("stop", "postgres")
    wait_until(lambda: status(services, READY) == 503)
    assert status(services, LIVE) == 200
    services.run("start", "postgres")
    wait_until(lambda: is_ready(services))


def test_started_once_more_nothing_is_done_twice_and_the_consumer_may_not_write_the_revision(
    services: Composed,
) -> None:
    before = services.container("consumer")["Id"]
    services.run("up", "--detach", "--no-build")
    asked = "SELECT has_table_privilege('pointsman_consumer', 'alembic_version', 'INSERT')"
    psql = ("psql", "-U", "postgres", "-d", "pointsman", "-Atc", asked)
    assert services.run("exec", "-T", "postgres", *psql).strip() == "f"
    assert services.container("consumer")["Id"] == before


def test_told_to_stop_it_ends_well(services: Composed) -> None:
    services.run("stop", "consumer")
    assert services.state("consumer")["ExitCode"] == 0
    assert '"event": "stopped"' in services.run("logs", "--no-color", "consumer")
