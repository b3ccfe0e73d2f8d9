"""Why did this run not start? One command, whatever was the reason."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from consumer.explaining.wording import moment
from rules.identifiers import uuid7
from rules.moments import utc_now
from tests.integration.processes import consuming, pointsman
from tests.integration.world import World, proposal, watching


async def shown(world: World, run_id: UUID) -> list[str]:
    """What ``runs show`` prints, line by line."""
    ended = await pointsman("runs", "show", str(run_id), **world.settings)
    assert ended.code == 0, ended.err
    return [line.strip() for line in ended.out.splitlines()]


async def rows(world: World, run_id: UUID) -> list[dict[str, Any]]:
    ended = await pointsman("runs", "show", str(run_id), "--json", **world.settings)
    assert ended.code == 0, ended.err
    found: list[dict[str, Any]] = json.loads(ended.out)
    return found


async def buried(world: World, run_id: UUID) -> dict[str, Any]:
    """The run's one attempt, once its dead letter is on record."""
    while True:
        [row] = await rows(world, run_id)
        if row["dead_letters"]:
            return row


async def test_a_run_that_waits_or_was_aborted_tells_why(world: World) -> None:
    scheduled, stopped = uuid7(), uuid7()
    limit = await pointsman("limits", "set", "closed", "0", **world.settings)
    assert limit.code == 0
    async with consuming(**world.settings), watching(world.amqp_url) as watcher:
        details = {"scheduled_time": utc_now() + timedelta(hours=1)}
        await watcher.decision(proposal("SCHEDULED", scheduled, create={}, details=details))
        delay = await watcher.decision(proposal("RUNNING", scheduled), request_id="start")
        abort = await watcher.decision(proposal("RUNNING", stopped, create={"tags": ["closed"]}))
        while not (await rows(world, scheduled))[-1]["forwarded"]:
            pass  # that it was is noted with the next batch, or when there is nothing to do

    lines = await shown(world, scheduled)
    assert any(line.endswith("delay, scheduled, by WaitForScheduledTime") for line in lines)
    assert lines[-1].startswith(
        "It waits for its scheduled time: RUNNING is proposed again by itself at"
        f" {moment(datetime.fromisoformat(delay['retry_at']))}"
    )
    first, second = await rows(world, scheduled)
    assert (first["proposed_type"], first["decision"]) == ("SCHEDULED", "accept")
    assert second.items() >= delay.items()
    assert (second["proposed_type"], second["standing"]) == ("RUNNING", "waiting")
    assert (second["forward"], second["forwarded"]) == ("delay", True)
    assert second["current_run"]["state_type"] == "SCHEDULED"

    closing = (await shown(world, stopped))[-1]
    assert "RUNNING, was aborted by SecureTaskConcurrencySlots (limit-zero)" in closing
    assert closing.endswith(abort["reason"])


async def test_a_rule_that_raises_is_told_with_its_error_and_its_dead_letter(world: World) -> None:
    policy = "tests.integration.faulty_policy:FaultyPolicy"
    refused, failing = uuid7(), uuid7()
    consumer = consuming(**world.settings, task_policy=policy)
    async with consumer as running, watching(world.amqp_url) as watcher:
        await watcher.decision(proposal("RUNNING", refused, create={}))
        await watcher.send(proposal("PAUSED", failing, create={}), "pause")
        await running.event("sent-round")
        [unfinished] = await rows(world, failing)
        closing = (await shown(world, failing))[-1]
        row = await buried(world, refused)

    assert (unfinished["standing"], unfinished["decision"]) == ("unfinished", None)
    assert unfinished["failures"] > 0
    assert "request pause failed" in closing
    assert (row["decision"], row["code"], row["rule"]) == ("abort", "rule-error", "RefusesToStart")
    assert (row["error_type"], row["error"]) == ("ZeroDivisionError", "no budget is left")
    [letter] = row["dead_letters"]
    assert (letter["status"], letter["reason"]) == ("open", "rule-error")
    assert "ZeroDivisionError: no budget is left" in await shown(world, refused)
