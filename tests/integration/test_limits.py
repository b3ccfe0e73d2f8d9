"""Concurrency limits, set and looked at while consumers are at work."""

import asyncio
import json
from typing import Any

from persistence.database import open_database
from persistence.demands import Demand
from persistence.migrating import upgrade
from rules.identifiers import uuid7
from rules.runs import TaskRun
from rules.states import Running
from tests.integration.processes import Ended, consuming, pointsman
from tests.integration.world import World, proposal, watching
from tests.persistence.records import enter, make_runs

TAGGED = {"tags": ["db", "eu"]}


async def limits(*arguments: object, url: str) -> list[dict[str, Any]]:
    """What a command of ``limits`` prints."""
    ended = await started(*arguments, url=url)
    assert ended.code == 0, ended.err
    rows: list[dict[str, Any]] = json.loads(ended.out)
    return rows


async def started(*arguments: object, url: str) -> Ended:
    told = (str(each) for each in arguments)
    return await pointsman("limits", *told, "--json", database_url=url)


async def test_a_limit_set_while_tasks_run_counts_them_and_holds_up_the_next_one(
    world: World,
) -> None:
    url = world.database_url
    first, second, third = uuid7(), uuid7(), uuid7()
    consumer = consuming(**world.settings, slot_delay_seconds=1)
    async with consumer, watching(world.amqp_url) as watcher:
        for run_id in (first, second):
            await watcher.decision(proposal("RUNNING", run_id, create=TAGGED))
        [limit] = await limits("set", "db", 2, url=url)
        assert {holder["task_run_id"] for holder in limit["holders"]} == {str(first), str(second)}

        delayed = await watcher.decision(proposal("RUNNING", third, create=TAGGED))
        assert (delayed["decision"], delayed["code"]) == ("delay", "limit-reached")
        why = await pointsman("runs", "show", str(third), **world.settings)
        assert "delay, limit-reached, by SecureTaskConcurrencySlots" in why.out
        [closing] = why.out.splitlines()[-1:]
        assert closing.startswith("It waits for a slot of 'db' (limit 2, held by ")
        assert str(first) in closing

        await watcher.send(proposal("COMPLETED", first), "done")
        decision: dict[str, Any] = {"decision": "delay"}
        while decision["decision"] == "delay" or decision["request_id"] == "done":
            [decision] = await watcher.decisions(1)
        assert (decision["run"]["id"], decision["decision"]) == (str(third), "accept")
        [limit] = await limits("list", url=url)
        assert {holder["task_run_id"] for holder in limit["holders"]} == {str(second), str(third)}
        assert await limits("reset", url=url) == []
        [deleted] = await limits("delete", "db", url=url)
        assert deleted["taken"] == 2


async def test_commands_at_once_do_not_disturb_each_other(database_url: str) -> None:
    await asyncio.to_thread(upgrade, database_url)
    run = TaskRun(id=uuid7(), tags=("db",))
    async with open_database(database_url) as database:
        await make_runs(database, run)
        async with database.session([Demand(run_id=run.id, kind=run.kind)]) as session:
            await enter(session, run, Running())
    numbers = (3, 4, 5)
    ended = await asyncio.gather(
        *(started("set", "db", number, url=database_url) for number in numbers),
        started("reset", url=database_url),
    )
    assert [each.code for each in ended] == [0, 0, 0, 0], ended
    [limit] = await limits("list", url=database_url)
    assert limit["slots"] in numbers
    assert [holder["task_run_id"] for holder in limit["holders"]] == [str(run.id)]
