"""The broker: its queues often and cheaply, its connections seldom."""

import asyncio
import base64
import http.client
import json
import re
from dataclasses import dataclass
from typing import Any

from consumer.topology.names import DEAD_LETTERS, DELAY, REQUESTS
from deploy.servers import RabbitServer, ServerError
from tests.soak.gauges import (
    BROKER_MEMORY,
    CHANNELS,
    CONNECTIONS,
    DECISIONS_WAITING,
    LADDER_WAITING,
    LETTERS_WAITING,
    REQUESTS_WAITING,
    SUBSCRIPTIONS,
    Readings,
)
from tests.soak.listener import HEARD

_COUNTED = (CONNECTIONS, CHANNELS, SUBSCRIPTIONS, BROKER_MEMORY)
_TOTALS = "/api/queues?disable_stats=true&enable_queue_totals=true"
_SECONDS_TO_ANSWER = 3.0
# One expression, since each start of the tool costs half a second of CPU time.
_COUNTS = """
    All = rabbit_networking:connection_info_all([client_properties, channels]),
    Channels = [proplists:get_value(channels, Connection)
                || Connection <- All,
                   {<<"connection_name">>, _, <<"pointsman@", _/binary>>}
                   <- proplists:get_value(client_properties, Connection)],
    {length(Channels), lists:sum(Channels),
     length(rabbit_amqqueue:consumers_all(<<"/">>)), erlang:memory(total)}.
"""


@dataclass(frozen=True, slots=True)
class QueueGauge:
    """How many messages wait in which kind of queue, delivered ones included."""

    server: RabbitServer

    async def read(self) -> Readings:
        """Messages by kind of queue."""
        try:
            queues = await asyncio.to_thread(self._queues)
        except (OSError, http.client.HTTPException, ValueError):
            return {}
        depths = {queue["name"]: int(queue.get("messages", 0)) for queue in queues}
        return {
            REQUESTS_WAITING: _sum(depths, f"{REQUESTS}."),
            LADDER_WAITING: _sum(depths, f"{DELAY}."),
            LETTERS_WAITING: depths.get(DEAD_LETTERS, 0),
            DECISIONS_WAITING: depths.get(HEARD, 0),
        }

    def _queues(self) -> list[dict[str, Any]]:
        address = self.server.address
        login = base64.b64encode(f"{address.user}:{address.password}".encode()).decode()
        connection = http.client.HTTPConnection(
            address.host, address.management_port, timeout=_SECONDS_TO_ANSWER
        )
        try:
            connection.request("GET", _TOTALS, headers={"authorization": f"Basic {login}"})
            response = connection.getresponse()
            if response.status != http.client.OK:
                raise http.client.HTTPException(f"status {response.status}")
            queues: list[dict[str, Any]] = json.load(response)
        finally:
            connection.close()
        return queues


@dataclass(frozen=True, slots=True)
class ConnectionGauge:
    """What consumers hold open on the broker; too dear to be read every few seconds."""

    server: RabbitServer

    async def read(self) -> Readings:
        """Consumers' connections and channels, all subscriptions, and Erlang's memory in bytes."""
        try:
            counted = await asyncio.to_thread(self.server.run_ctl, "eval", _COUNTS)
            values = [int(number) for number in re.findall(r"\d+", counted)]
            return dict(zip(_COUNTED, values, strict=True))
        except (ServerError, ValueError):
            return {}


def _sum(depths: dict[str, int], prefix: str) -> int:
    return sum(depth for name, depth in depths.items() if name.startswith(prefix))
