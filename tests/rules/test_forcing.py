"""Runs that are changed along with the governed one."""

from typing import Any

import pytest

from rules import StateType
from rules.bookkeeping.update_state_details import UpdateStateDetails
from rules.forcing import force_task_run
from rules.states import Completed, Running
from tests.rules.world import World


async def test_a_forced_run_asks_no_rule_but_keeps_its_books(world: World) -> None:
    world.tables.limits["shut"] = 0
    run = world.task_run(StateType.COMPLETED, tags=("shut",))
    context = world.context(world.flow_run(), None)
    await force_task_run(context, run, Running())

    assert (run.state_type, run.run_count) == (StateType.RUNNING, 1)
    assert context.also_changed == [run]
    assert context.rule_signature == []


async def test_a_run_forced_twice_is_listed_once(world: World) -> None:
    run, other = world.task_run(), world.task_run()
    context = world.context(world.flow_run(), None)
    for forced in (run, other, run):
        await force_task_run(context, forced, Completed())

    assert context.also_changed == [run, other]
    assert run.version == 2


async def test_an_error_of_its_bookkeeping_is_raised(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_given: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(UpdateStateDetails, "before_transition", fail)
    run, context = world.task_run(), world.context(world.flow_run(), None)

    with pytest.raises(ZeroDivisionError):
        await force_task_run(context, run, Completed())
    assert context.also_changed == []
    assert world.written(run) == []
