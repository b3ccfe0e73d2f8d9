"""Runs that are driven by decisions: a worker waits for each, and then proposes the next step."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from consumer.wire.decisions import Verdict
from rules.moments import utc_now
from rules.runs import RunKind
from rules.states import FINAL_STATES
from tests.chaos.chance import another
from tests.chaos.load.answers import Decision
from tests.chaos.load.desk import Desk, Office

LIMITS = {"narrow": 1, "db": 3, "closed": 0}
"""The tags with a limit in a trial."""

_MOST_STARTS = 12


async def work(desk: Desk, create: dict[str, Any]) -> Decision:
    """Start a run, do its work, end it; fail now and then, and go on with a retry.

    Returns:
        The decision on the last proposal.
    """
    decision = await desk.ask("PENDING", create=create)
    for _ in range(_MOST_STARTS):
        decision = await _start(desk, create, decision)
        if not _runs(decision):
            return decision
        await asyncio.sleep(desk.rng.uniform(0, 0.4))
        ending = "FAILED" if desk.chance(0.3) else "COMPLETED"
        decision = await desk.ask(ending, create=create, data={"took": desk.rng.random()})
        if decision["code"] != "retry":
            return decision
    return await desk.ask("CANCELLED", create=create, forced=True)


async def _start(desk: Desk, create: dict[str, Any], before: Decision) -> Decision:
    """Propose RUNNING until it is decided: again by Pointsman, or after a delay by the worker."""
    run = before["run"]
    extra = {"expected_state_id": run["state_id"]} if run and desk.chance(0.3) else {}
    while True:
        if desk.chance(0.7):
            return await desk.ask("RUNNING", create=create, **extra)
        decision = await desk.send("RUNNING", create=create, on_delay="return", **extra).first()
        if decision["decision"] != Verdict.DELAY:
            return decision
        await _until(decision["retry_at"])


def _runs(decision: Decision) -> bool:
    return bool(decision["decision"] == Verdict.ACCEPT and decision["code"] is None)


async def _until(moment: str) -> None:
    left = (datetime.fromisoformat(moment) - utc_now()).total_seconds()
    await asyncio.sleep(max(0.0, left))


async def task(office: Office, rng: Random, flow_run_id: UUID | None = None) -> Decision:
    """One task run, often with retries, sometimes with tags that have limits."""
    desk = office.desk(rng, RunKind.TASK)
    create: dict[str, Any] = {"name": f"task {rng.randrange(100)}", "tags": _tags(rng)}
    if rng.random() < 0.5:
        create["policy"] = {"retries": rng.randrange(3), "retry_delay": rng.choice((0, 1, 2))}
    if flow_run_id is not None:
        create["flow_run_id"] = str(flow_run_id)
    decision = await work(desk, create)
    if create["tags"] and decision["run"]["state_type"] not in FINAL_STATES:
        # Others wait for the slot that it may still hold.
        decision = await desk.ask("CANCELLED", create=create, forced=True)
    return decision


def _tags(rng: Random) -> Sequence[str]:
    """Few with limits: who waits for a slot is proposed again each second."""
    limited = rng.choice((("db",), ("db",), ("narrow", "db"), ("db", "closed")))
    return limited if rng.random() < 0.15 else rng.choice(((), ("free",)))


async def flow(office: Office, rng: Random) -> None:
    """A flow run, its task runs beside one another, and sometimes a subflow of one of them."""
    desk = office.desk(rng, RunKind.FLOW)
    create = {"deployment_id": "nightly", "policy": {"retries": 1, "retry_delay": 1}}
    decision = await desk.ask("RUNNING", create=create)
    if not _runs(decision):
        return
    tasks = [task(office, another(rng), desk.run_id) for _ in range(rng.randrange(1, 4))]
    if rng.random() < 0.5:
        tasks.append(_subflow(office, another(rng), desk.run_id))
    await asyncio.gather(*tasks)
    old_client = {"parameters": {"api-version": "0.8.0"}} if rng.random() < 0.5 else {}
    ended = await desk.ask(rng.choice(("COMPLETED", "FAILED")), create=create, **old_client)
    if ended["code"] == "retry":
        await desk.ask("RUNNING", create=create)
        await desk.ask("COMPLETED", create=create)


async def _subflow(office: Office, rng: Random, flow_run_id: UUID) -> Decision:
    """A task run that stands for a flow run, and follows its states."""
    parent = office.desk(rng, RunKind.TASK)
    await parent.ask("PENDING", create={"flow_run_id": str(flow_run_id)})
    child = office.desk(rng, RunKind.FLOW)
    return await work(child, {"parent_task_run_id": str(parent.run_id)})


async def two_at_once(office: Office, rng: Random) -> None:
    """Two workers that take up the same run: only one of them may start it."""
    desk = office.desk(rng, RunKind.TASK)
    other = office.desk(rng, RunKind.TASK, desk.run_id)
    await asyncio.gather(work(desk, {}), work(other, {}))
