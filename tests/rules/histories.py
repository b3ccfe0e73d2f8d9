"""Random histories: a small world, and what is proposed in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from rules import (
    OrchestrationContext,
    Run,
    RunKind,
    RunPolicy,
    State,
    StateDetails,
    StateType,
)
from rules.policies import CoreFlowPolicy, CoreTaskPolicy, MinimalFlowPolicy, MinimalTaskPolicy
from rules.states import StateName
from tests.memory.tables import Tables
from tests.rules.world import NOON, Policy, World

untimed = settings(deadline=None, max_examples=200)
"""For properties: how long an example takes says nothing about what holds."""

_NAMES = ("Custom", str(StateName.AWAITING_RETRY), str(StateName.LATE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A proposal for the run of that number.

    ``passed`` seconds have gone by since the step before, the state is stamped ``stamped`` seconds
    after that moment, and due ``due`` seconds after it.
    """

    run: int
    type: StateType | None
    name: str = ""
    force: bool = False
    passed: float = 0
    stamped: float = 0
    due: float | None = None
    cache_key: str | None = None
    api_version: str | None = None

    def state(self, now: datetime) -> State | None:
        """What is proposed at ``now``."""
        if self.type is None:
            return None
        due = None if self.due is None else now + timedelta(seconds=self.due)
        return State(
            type=self.type,
            name=self.name,
            timestamp=now + timedelta(seconds=self.stamped),
            data={"of": self.run},
            state_details=StateDetails(scheduled_time=due or now, cache_key=self.cache_key),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Limits by tag; tags and retries of the task runs."""

    limits: dict[str, int]
    tags: Sequence[tuple[str, ...]]
    retries: int | None
    is_deployed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Governed:
    """A step, all that there was before and after it, and the context in which it was governed."""

    step: Step
    run: Run
    before: Tables
    after: Tables
    context: OrchestrationContext[Any, Any]

    @property
    def reached(self) -> State:
        """The state that was written for the governed run."""
        assert self.context.written_state is not None
        return self.context.written_state

    @property
    def changed(self) -> Sequence[Run]:
        """The runs that this step was to change: the governed one and those along with it."""
        if self.context.written_state is None:
            return ()
        return (self.run, *self.context.also_changed)


async def play(setting: Setting, steps: Sequence[Step]) -> list[Governed]:
    """Govern the steps one after the other, by the Core policies if they are not forced."""
    world, now = World(), NOON
    world.tables.limits.update(setting.limits)
    runs, played = _runs(world, setting), []
    for step in steps:
        now += timedelta(seconds=step.passed)
        run, before = runs[step.run], world.tables.copy()
        policy = _FORCED[run.kind] if step.force else _CORE[run.kind]
        parameters = {} if step.api_version is None else {"api-version": step.api_version}
        context = await world.propose(run, step.state(now), policy, now=now, parameters=parameters)
        after = world.tables.copy()
        played.append(Governed(step=step, run=run, before=before, after=after, context=context))
    return played


def _runs(world: World, setting: Setting) -> Sequence[Run]:
    """A flow run with three task runs, one of them its subflow's parent; and a lone task run."""
    policy = RunPolicy(retries=setting.retries)
    deployment_id = "nightly" if setting.is_deployed else None
    flow_run = world.flow_run(policy=policy, deployment_id=deployment_id)
    tasks = [
        world.task_run(tags=tags, policy=policy, flow_run_id=flow_run.id)
        for tags in setting.tags[:3]
    ]
    subflow = world.flow_run(policy=policy, parent_task_run_id=tasks[0].id)
    return (flow_run, subflow, *tasks, world.task_run(tags=setting.tags[3], policy=policy))


_CORE: Mapping[RunKind, Policy] = {RunKind.FLOW: CoreFlowPolicy, RunKind.TASK: CoreTaskPolicy}
_FORCED: Mapping[RunKind, Policy] = {
    RunKind.FLOW: MinimalFlowPolicy,
    RunKind.TASK: MinimalTaskPolicy,
}

_seconds = st.sampled_from([0.0, 0.25, 1.0, 60.0])
_types = st.sampled_from(
    [*[StateType.RUNNING] * 5, *[StateType.FAILED] * 2, *StateType, None, StateType.COMPLETED]
)
some_steps = st.lists(
    st.builds(
        Step,
        run=st.integers(0, 5),
        type=_types,
        name=st.sampled_from([*[""] * 6, *_NAMES]),
        force=st.sampled_from([*[False] * 5, True]),
        passed=_seconds,
        stamped=st.sampled_from([0.0, -5.0, 5.0]),
        due=st.sampled_from([None, None, -60.0, 0.3, 60.0]),
        cache_key=st.sampled_from([*[None] * 6, "key", "other"]),
        api_version=st.sampled_from([None, "0.8.0", "0.9.0"]),
    ),
    min_size=15,
    max_size=50,
)
"""Long, and more of what usually happens, so that histories come to what rules are about."""

some_settings = st.builds(
    Setting,
    limits=st.sampled_from(
        [{"db": 1}, {"db": 1, "gpu": 1}, {"db": 2, "gpu": 1}, {"db": 1, "gpu": 0}]
    ),
    tags=st.lists(
        st.sampled_from([("db",), ("db", "gpu"), ("free", "gpu"), ("free",), ()]),
        min_size=4,
        max_size=4,
    ),
    retries=st.sampled_from([1, 2, 0, None]),
    is_deployed=st.booleans(),
)
