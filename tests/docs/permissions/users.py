"""The broker's users, as the page makes them."""

from collections.abc import Mapping
from dataclasses import dataclass

from consumer.broker.connection import BrokerConnection
from tests.docs.commands import shell_commands
from tests.docs.pages import page
from tests.servers.vhosts import Vhost

PASSWORD = "of-this-test"  # noqa: S105  and of its broker
COMMANDS = shell_commands(page("permissions.md"))
USERS = [words[2] for words in COMMANDS if words[1] == "add_user"]
CONSUMER, PRODUCER, WORKER, OPERATOR = USERS

STRANGERS_QUEUE = "somebody-s"
"""In the same virtual host, and none of Pointsman's."""


@dataclass(frozen=True, slots=True)
class Place:
    """A virtual host in which the page's commands were run, the consumer's settings in it."""

    vhost: Vhost
    settings: Mapping[str, object]

    def url_of(self, user: str) -> str:
        """How a user connects."""
        server = self.vhost.server
        return f"amqp://{user}:{PASSWORD}@{server.host}:{server.port}/{self.vhost.name}"


Connections = Mapping[str, BrokerConnection]
