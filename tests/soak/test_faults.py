import asyncio
import random
import threading
from dataclasses import dataclass, field
from typing import cast

from deploy.servers import PostgresServer, RabbitServer
from tests.soak.consumers import ConsumerProcess
from tests.soak.faults import Site, freeze_consumer


@dataclass
class Sleeper:
    """A consumer that notes what is done to it."""

    frozen: threading.Event = field(default_factory=threading.Event)
    thawed: threading.Event = field(default_factory=threading.Event)

    def freeze(self) -> None:
        self.frozen.set()

    def thaw(self) -> None:
        self.thawed.set()


async def test_a_fault_that_is_interrupted_is_undone() -> None:
    sleeper = Sleeper()
    site = Site(
        broker=cast("RabbitServer", None),
        postgres=cast("PostgresServer", None),
        consumers=[cast("ConsumerProcess", sleeper)],
        rng=random.Random(1),  # noqa: S311 - no secret
    )
    freezing = asyncio.create_task(freeze_consumer(site))
    await asyncio.to_thread(sleeper.frozen.wait)
    assert not sleeper.thawed.is_set()
    freezing.cancel()
    await asyncio.wait({freezing})
    assert sleeper.thawed.is_set()
