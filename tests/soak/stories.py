"""The lives that the load is made of: each waits for one decision before it asks for the next."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from consumer.topology.names import slot
from consumer.wire.decisions import Verdict
from rules.identifiers import uuid7
from rules.moments import utc_now
from rules.runs import RunKind
from tests.soak.steps import NOBODY, REPLIES, Candidate, Step, Story, request, scheduled

TAG = "soak"
"""The tag with a limit."""

SLOTS = 4
"""The limit."""

_WORK_SECONDS = 2.0
_MOST_TASKS = 3
_MOST_SLOTTED = 2 * SLOTS
_SLOTTED = 0.1
_CACHED = timedelta(hours=1)
_ASK_FOR_REPLY = 0.2
_MISLED = 0.01
_ASK_FOR_NOBODY = 0.005


def _work(rng: random.Random) -> float:
    return rng.uniform(0.1, _WORK_SECONDS)


def _result(rng: random.Random) -> dict[str, str]:
    """A result; now and then a large one."""
    return {"result": "x" * rng.choice((0, 100, 1_000, 1_000, 30_000))}


def plain_task(rng: random.Random, flow: UUID) -> Story:
    """Runs and completes by compare and set; a second start and a stale end are refused."""
    task = Candidate.new(RunKind.TASK, flow_run_id=str(flow), name="plain")
    pending = yield task.step("PENDING")
    running = yield task.step("RUNNING")
    yield task.step("RUNNING", Verdict.ABORT)
    state = running["run"]["state_id"]
    done = task.step("COMPLETED", expected_state_id=state, data=_result(rng))
    yield done.changed(pause=_work(rng))
    yield task.step("FAILED", Verdict.ABORT, expected_state_id=pending["run"]["state_id"])


def slotted_task(rng: random.Random, flow: UUID) -> Story:
    """Runs once there is a slot."""
    task = Candidate.new(RunKind.TASK, flow_run_id=str(flow), tags=[TAG])
    yield task.step("RUNNING")
    yield task.step("COMPLETED").changed(pause=_work(rng))


def retried_task(rng: random.Random, flow: UUID) -> Story:
    """Fails once, waits for its second try, and completes."""
    policy = {"retries": 1, "retry_delay": 1}
    task = Candidate.new(RunKind.TASK, flow_run_id=str(flow), policy=policy)
    yield task.step("RUNNING")
    yield task.step("FAILED", Verdict.REJECT).changed(pause=_work(rng))
    yield task.step("RUNNING")
    yield task.step("COMPLETED")


def cached_tasks(rng: random.Random, flow: UUID) -> Story:
    """The second one gets what the first one found."""
    details = {"cache_key": str(uuid7()), "cache_expiration": (utc_now() + _CACHED).isoformat()}
    first = Candidate.new(RunKind.TASK, flow_run_id=str(flow))
    yield first.step("RUNNING", details=details)
    yield first.step("COMPLETED", details=details, data=_result(rng))
    second = Candidate.new(RunKind.TASK, flow_run_id=str(flow))
    yield second.step("RUNNING", Verdict.REJECT, details=details)


def scheduled_task(rng: random.Random, flow: UUID) -> Story:
    """Waits for its time in the ladder."""
    task = Candidate.new(RunKind.TASK, flow_run_id=str(flow))
    yield task.step("SCHEDULED", details=scheduled(rng.uniform(1, 6)))
    yield task.step("RUNNING")
    yield task.step("COMPLETED").changed(pause=_work(rng))


def patient_task(rng: random.Random, flow: UUID) -> Story:
    """Is told when its time will be, and asks again then."""
    task = Candidate.new(RunKind.TASK, flow_run_id=str(flow))
    yield task.step("SCHEDULED", details=scheduled(rng.uniform(1, 3)))
    either = Verdict.DELAY, Verdict.ACCEPT
    answer = yield task.step("CANCELLED", *either, on_delay="return")
    if answer["decision"] == Verdict.DELAY:
        again = task.step("CANCELLED", on_delay="return")
        yield again.changed(pause=float(answer["delay_seconds"]))


def subflow(rng: random.Random, flow: UUID) -> Story:
    """A task that stands for a flow, and follows it."""
    parent = Candidate.new(RunKind.TASK, flow_run_id=str(flow))
    yield parent.step("RUNNING")
    child = Candidate.new(RunKind.FLOW, parent_task_run_id=str(parent.id))
    yield child.step("RUNNING")
    yield child.step("COMPLETED").changed(pause=_work(rng))
    yield parent.step("RUNNING", Verdict.ABORT)


_TASKS: tuple[Callable[[random.Random, UUID], Story], ...] = (
    plain_task,
    plain_task,
    plain_task,
    retried_task,
    cached_tasks,
    scheduled_task,
    patient_task,
    subflow,
)


def glimpse(rng: random.Random) -> Story:
    """A run that never comes to anything."""
    yield Candidate.new(RunKind.TASK).step(rng.choice(("PENDING", "SCHEDULED")))


def junk(rng: random.Random) -> Story:
    """A message that is no request."""
    run = Candidate.new(RunKind.TASK)
    sound = run.step("RUNNING").message
    message = rng.choice(
        (
            request(b"\x00 no JSON", slot(run.id)),
            request(b'{"run": {"kind": "task"}}', slot(run.id)),
            request(sound.body, slot(run.id), anonymous=True),
        )
    )
    yield Step(message=message, expected=frozenset({Verdict.ABORT}))


def with_habits(story: Story, rng: random.Random) -> Story:
    """The story as a careless producer tells it: wrong routing keys, replies asked of nobody."""
    step = next(story)
    try:
        while True:
            decision = yield _carelessly(step, rng)
            step = story.send(decision)
    except StopIteration:
        return


def _carelessly(step: Step, rng: random.Random) -> Step:
    chance = rng.random()
    if chance < _MISLED:
        return replace(step, message=replace(step.message, routing_key="nowhere"))
    if chance < _MISLED + _ASK_FOR_NOBODY:
        return step.changed(reply_to=NOBODY)
    if chance < _MISLED + _ASK_FOR_NOBODY + _ASK_FOR_REPLY:
        return step.changed(reply_to=REPLIES)
    return step


class Storyteller:
    """Tells stories without end."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._slotted = 0

    def long_story(self) -> Story:
        """The life of a flow run that nobody knows yet."""
        return with_habits(self._flow_run(), self._rng)

    def short_story(self) -> Story:
        """A single request, or something that is none."""
        return with_habits(self._rng.choice((glimpse, junk))(self._rng), self._rng)

    def _flow_run(self) -> Story:
        """A flow run with a few task runs, one after the other."""
        rng, flow = self._rng, Candidate.new(RunKind.FLOW, name="flow", deployment_id="soak")
        yield flow.step("PENDING")
        yield flow.step("RUNNING")
        for _ in range(rng.randint(1, _MOST_TASKS)):
            yield from self._task(flow.id)
        yield flow.step(rng.choice(("COMPLETED", "FAILED", "CRASHED")), data=_result(rng))
        yield flow.step("RUNNING", Verdict.ABORT)

    def _task(self, flow: UUID) -> Story:
        # More of them at a time would only wait for each other, the longer the slower all is.
        if self._rng.random() > _SLOTTED or self._slotted >= _MOST_SLOTTED:
            yield from self._rng.choice(_TASKS)(self._rng, flow)
            return
        self._slotted += 1
        try:
            yield from slotted_task(self._rng, flow)
        finally:
            self._slotted -= 1
