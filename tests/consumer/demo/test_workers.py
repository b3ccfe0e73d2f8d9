from collections.abc import Mapping
from typing import Any

from consumer.demo.plans import FlowPlan, TaskPlan
from consumer.demo.workers import FlowWorker
from consumer.wire.decisions import Decision, Verdict
from rules.runs import RunPolicy
from rules.states import AwaitingRetry, Completed, State, StateType
from tests.consumer.demo.clients import ScriptedClient, open_desk
from tests.consumer.demo.world import World

Script = dict[tuple[str, StateType], list[tuple[Verdict, State | None]]]

FAILED, COMPLETED = StateType.FAILED, StateType.COMPLETED
RETRY = (Verdict.REJECT, AwaitingRetry())


class Office:
    """Accepts what is proposed, but for the runs and states that the script says more about."""

    def __init__(self, world: World, script: Script) -> None:
        self._world = world
        self._script = script
        self.proposals: list[tuple[str, StateType]] = []

    async def run(self, plan: FlowPlan) -> None:
        async with open_desk(ScriptedClient(self._answer), self._world.journal) as desk:
            await FlowWorker(desk, self._world.roster, plan).run()

    def _answer(self, body: Mapping[str, Any], request_id: str) -> list[Decision]:
        name = self._world.roster.name_of(body["run"]["id"]) or ""
        proposed: StateType = body["state"]["type"]
        self.proposals.append((name, proposed))
        answers = self._script.get((name, proposed))
        verdict, state = answers.pop(0) if answers else (Verdict.ACCEPT, State(type=proposed))
        return [self._world.decide(name, state, request_id=request_id, verdict=verdict)]


def flow(*tasks: TaskPlan | FlowPlan) -> FlowPlan:
    return FlowPlan(name="f", stages=tuple((task,) for task in tasks))


def steps(office: Office, name: str) -> list[str]:
    return [str(state) for run, state in office.proposals if run == name]


async def test_a_flow_ends_after_its_tasks_one_stage_after_the_other(world: World) -> None:
    office = Office(world, {})
    await office.run(flow(TaskPlan(name="a", seconds=0), TaskPlan(name="b", seconds=0)))

    assert [run for run, state in office.proposals if state is COMPLETED] == ["f/a", "f/b", "f"]


async def test_a_flow_with_a_deployment_is_scheduled_first(world: World) -> None:
    office = Office(world, {})
    await office.run(FlowPlan(name="f", stages=(), deployment="nightly"))

    assert steps(office, "f") == ["SCHEDULED", "PENDING", "RUNNING", "COMPLETED"]


async def test_a_task_that_awaits_a_retry_asks_to_run_again(world: World) -> None:
    office = Office(world, {("f/a", FAILED): [RETRY]})
    plan = TaskPlan(name="a", seconds=0, endings=(FAILED, COMPLETED), policy=RunPolicy(retries=1))
    await office.run(flow(plan))

    assert steps(office, "f/a") == ["PENDING", "RUNNING", "FAILED", "RUNNING", "COMPLETED"]
    assert steps(office, "f") == ["PENDING", "RUNNING", "COMPLETED"]


async def test_a_result_from_the_cache_is_as_good_as_work(world: World) -> None:
    cached = (Verdict.REJECT, Completed(name="Cached"))
    office = Office(world, {("f/a", StateType.RUNNING): [cached]})
    await office.run(flow(TaskPlan(name="a", cache_key="key")))

    assert steps(office, "f/a") == ["PENDING", "RUNNING"]
    assert steps(office, "f")[-1] == "COMPLETED"


async def test_a_task_that_may_not_run_fails_its_flow(world: World) -> None:
    office = Office(world, {("f/a", StateType.RUNNING): [(Verdict.ABORT, None)]})
    await office.run(flow(TaskPlan(name="a"), TaskPlan(name="b")))

    assert steps(office, "f")[-1] == "FAILED"
    assert steps(office, "f/b") == []


async def test_a_flow_that_is_tried_again_runs_only_what_has_not_succeeded(world: World) -> None:
    office = Office(world, {("f", FAILED): [RETRY]})
    sound = TaskPlan(name="a", seconds=0)
    troubled = TaskPlan(name="b", seconds=0, endings=(FAILED, COMPLETED))
    await office.run(flow(sound, troubled))

    assert steps(office, "f/a") == ["PENDING", "RUNNING", "COMPLETED"]
    assert steps(office, "f/b") == ["PENDING", "RUNNING", "FAILED", "RUNNING", "COMPLETED"]
    assert steps(office, "f") == ["PENDING", "RUNNING", "FAILED", "RUNNING", "COMPLETED"]


async def test_a_flow_that_may_not_run_is_left_alone(world: World) -> None:
    office = Office(world, {("f", StateType.RUNNING): [(Verdict.ABORT, None)]})
    await office.run(flow(TaskPlan(name="a")))

    assert steps(office, "f") == ["PENDING", "RUNNING"]


async def test_a_task_run_stands_for_a_subflow_and_is_moved_along_with_it(world: World) -> None:
    office = Office(world, {})
    inner = FlowPlan(name="g", stages=((TaskPlan(name="a", seconds=0),),))
    await office.run(flow(inner))

    assert steps(office, "f/g") == ["PENDING"]
    assert office.proposals.index(("f/g", StateType.PENDING)) < office.proposals.index(
        ("g", StateType.PENDING)
    )
    assert steps(office, "f")[-1] == "COMPLETED"
