"""``pointsman check`` beside a consumer at work, and what is told of settings that are none."""

import json
from typing import Any

from tests.integration.processes import Ended, consuming, pointsman
from tests.integration.world import PARTITIONS, World, proposal, watching


def rows(ended: Ended) -> dict[str, dict[str, Any]]:
    """What was found, by name."""
    return {row["name"]: row for row in json.loads(ended.out)}


async def test_beside_a_consumer_at_work_all_is_in_order(world: World) -> None:
    async with consuming(**world.settings), watching(world.amqp_url) as watcher:
        await watcher.decision(proposal("RUNNING", create={}))
        ended = await pointsman("check", "--json", **world.settings)
        table = await pointsman("check", **world.settings)
    assert (ended.code, ended.err) == (0, "")
    found = rows(ended)
    assert [name for name, row in found.items() if row["ok"] is not True] == []
    queues = found["partitions"]["details"]["queues"]
    assert [queue["consumers"] for queue in queues] == [1] * PARTITIONS
    assert found["dead-letter-queue"]["details"]["consumers"] == 1
    assert found["partition-count"]["details"]["recorded"] == PARTITIONS
    assert table.code == 0
    assert "FAILED" not in table.out


async def test_without_a_consumer_that_is_what_has_failed(world: World) -> None:
    ended = await pointsman("check", "--json", **world.settings)
    assert ended.code == 1
    assert [name for name, row in rows(ended).items() if row["ok"] is False] == ["partitions"]
    assert ended.err == "Error: not as it should be: partitions\n"


async def test_a_consumer_logs_what_is_set_to_no_effect(world: World) -> None:
    async with consuming(**world.settings, prefetsch=5) as consumer:
        told = await consumer.event("unknown-setting")
    assert (told["setting"], told["did_you_mean"]) == (
        "POINTSMAN_PREFETSCH",
        "POINTSMAN_PREFETCH",
    )
