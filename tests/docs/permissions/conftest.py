"""A virtual host made by the page's commands, with a consumer at work in it."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from consumer.broker.connection import connect
from deploy.servers import RabbitServer
from tests.docs.permissions.users import (
    COMMANDS,
    CONSUMER,
    PASSWORD,
    STRANGERS_QUEUE,
    USERS,
    Connections,
    Place,
)
from tests.integration.processes import RunningConsumer, consuming, pointsman
from tests.integration.world import PARTITIONS
from tests.servers.vhosts import Vhost, fresh_vhost

FAULTY = "tests.integration.faulty_policy:FaultyPolicy"


@pytest.fixture(scope="module")
def permitted(broker: RabbitServer) -> Iterator[Vhost]:
    """A fresh virtual host with the page's users."""
    with fresh_vhost(broker) as vhost:
        for program, command, *arguments in COMMANDS:
            assert program == "rabbitmqctl"
            given = [vhost.name if word == "pointsman" else word for word in arguments]
            if command == "add_user":
                given.append(PASSWORD)
            if command != "add_vhost":
                broker.run_ctl(command, *given)
        yield vhost
        for user in USERS:
            broker.run_ctl("delete_user", user)


@pytest.fixture(scope="module")
def place(permitted: Vhost, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Where the consumer works, whose rules fail now and then."""
    file = tmp_path_factory.mktemp("database") / "pointsman.db"
    settings: dict[str, object] = {
        "database_url": f"sqlite+aiosqlite:///{file}",
        "partitions": PARTITIONS,
        "task_policy": FAULTY,
        "max_failures": 1,
    }
    settings["amqp_url"] = Place(permitted, settings).url_of(CONSUMER)
    return Place(permitted, settings)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def consumer(place: Place) -> AsyncIterator[RunningConsumer]:
    """A consumer that has declared the topology, with its own permissions."""
    ended = await pointsman("db", "upgrade", **place.settings)
    assert ended.code == 0, ended.err
    async with consuming(**place.settings) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def connections(place: Place, consumer: RunningConsumer) -> AsyncIterator[Connections]:
    """One of each user, with the topology in place and a stranger's queue beside it."""
    del consumer
    opened = {user: await connect(place.url_of(user), user) for user in USERS}
    administrator = await connect(place.vhost.url, "administrator")
    async with administrator.channel() as channel:
        await channel.queue_declare(STRANGERS_QUEUE, durable=True)
    yield opened
    for connection in (*opened.values(), administrator):
        await connection.close()
