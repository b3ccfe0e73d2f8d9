"""Where a request goes that is not done with: into the ladder, or to its own partition."""

import math
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from consumer.broker.messages import Outgoing
from consumer.topology.names import (
    MAX_DELAY_SECONDS,
    REQUESTS,
    delay_exchange,
    delay_routing_key,
    partition_of,
    slot,
)
from consumer.wire.requests import Envelope
from consumer.wire.rounds import round_properties


@dataclass(frozen=True, slots=True)
class Router:
    """Addresses requests that are sent round again."""

    partitions: int

    def is_elsewhere(self, partition: int | None, run_id: UUID) -> bool:
        """Whether a message from this partition's queue belongs into another."""
        return partition is not None and partition != partition_of(run_id, self.partitions)

    def moved(self, envelope: Envelope, run_id: UUID) -> Outgoing:
        """The request as it came, to its run's partition."""
        return self.round(envelope, run_id, seconds=0, attempt=envelope.claimed_attempt)

    def round(
        self,
        envelope: Envelope,
        run_id: UUID,
        *,
        seconds: int,
        attempt: int,
        failures: int = 0,
    ) -> Outgoing:
        """The request, to come back to its run's partition in so many seconds."""
        if seconds > 0:
            seconds = min(seconds, MAX_DELAY_SECONDS)
            exchange = delay_exchange(seconds)
            key = delay_routing_key(seconds, partition_of(run_id, self.partitions))
        else:
            exchange, key = REQUESTS, slot(run_id)
        return Outgoing(
            exchange=exchange,
            routing_key=key,
            body=envelope.delivery.body,
            properties=round_properties(envelope, attempt=attempt, failures=failures),
        )


def seconds_until(moment: datetime, now: datetime) -> int:
    """Whole seconds from now until a moment, rounded up; 0 where it has come."""
    return max(0, math.ceil((moment - now).total_seconds()))
