"""Runs whose producer sends all its proposals at once and looks at no decision: order is tested."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from rules.moments import utc_now
from rules.runs import RunKind
from tests.chaos.load.desk import Office
from tests.chaos.policy import Misdeed

CACHE_KEYS = tuple(f"result {number}" for number in range(20))


@dataclass(frozen=True, slots=True)
class Step:
    """One proposal: a state, and what else ``Desk.send`` takes."""

    state: str | None
    rest: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Script:
    """What is proposed for one run, in order."""

    steps: Sequence[Step]
    kind: RunKind = RunKind.TASK
    create: dict[str, Any] | None = field(default_factory=dict)

    def play(self, office: Office, rng: Random) -> None:
        """Send everything."""
        desk = office.desk(rng, self.kind)
        for step in self.steps:
            desk.send(step.state, create=self.create, **step.rest)


def _steps(*states: str | None) -> list[Step]:
    return [Step(state) for state in states]


def _soon(rng: Random) -> str:
    return (utc_now() + timedelta(seconds=rng.uniform(0.5, 3))).isoformat()


def straight(_: Random) -> Script:
    """As it should be."""
    return Script(_steps("PENDING", "RUNNING", "COMPLETED"))


def flow(_: Random) -> Script:
    """The same with a flow run."""
    return Script(_steps("PENDING", "RUNNING", "COMPLETED"), RunKind.FLOW)


def back_and_forth(rng: Random) -> Script:
    """Redundant and terminal proposals among others."""
    states = ["SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING", "COMPLETED", "FAILED"]
    return Script(_steps(*rng.choices(states, k=rng.randrange(3, 8))))


def failing(rng: Random) -> Script:
    """Fails with retries left; what follows waits for the retry's time."""
    policy = {"retries": rng.randrange(1, 3), "retry_delay": rng.randrange(1, 4)}
    kind = rng.choice((RunKind.TASK, RunKind.FLOW))
    steps = _steps("RUNNING", "FAILED", "RUNNING", "COMPLETED")
    return Script(steps, kind, {"policy": policy})


def cached(rng: Random) -> Script:
    """Uses a result that is there, or leaves one."""
    details = {"cache_key": rng.choice(CACHE_KEYS)}
    if rng.random() < 0.5:
        details["cache_expiration"] = _soon(rng)
    data = {"rows": rng.randrange(1_000), "text": "x" * rng.randrange(2_000)}
    started = Step("RUNNING", {"details": {"cache_key": details["cache_key"]}})
    return Script([started, Step("COMPLETED", {"details": details, "data": data})])


def scheduled(rng: Random) -> Script:
    """Starts too early, and comes back by itself or not."""
    details = {"scheduled_time": _soon(rng)}
    on_delay = rng.choice(("retry", "retry", "return"))
    steps = [Step("SCHEDULED", {"details": details}), Step("RUNNING", {"on_delay": on_delay})]
    return Script(steps, rng.choice((RunKind.TASK, RunKind.FLOW)))


def with_deadline(rng: Random) -> Script:
    """Has to be decided by a time that has passed, will pass while it waits, or will not come."""
    deadlines = (
        utc_now() - timedelta(seconds=5),
        utc_now() + timedelta(seconds=rng.uniform(0, 2)),
        utc_now() + timedelta(hours=1),
    )
    steps = [
        Step("SCHEDULED", {"details": {"scheduled_time": _soon(rng)}}),
        Step("RUNNING", {"deadline": rng.choice(deadlines).isoformat()}),
    ]
    return Script(steps)


def forced(_: Random) -> Script:
    """Goes past the rules, out of a final state too."""
    ended = [Step("RUNNING"), Step("COMPLETED")]
    return Script([*ended, Step("RUNNING", {"forced": True}), Step("FAILED", {"forced": True})])


def nobody_knows_it(rng: Random) -> Script:
    """A run that no request makes, a comparison with a state that it never had, no proposal."""
    return rng.choice(
        (
            Script(_steps("RUNNING", "COMPLETED"), create=None),
            Script([Step("RUNNING", {"expected_state_id": str(UUID(int=rng.getrandbits(128)))})]),
            Script(_steps(None, "PENDING", None)),
        )
    )


def misbehaving(rng: Random) -> Script:
    """Asks the policy's rule to fail, between proposals that are to be governed all the same."""
    misdeed = rng.choice(
        (Misdeed.RAISE_BEFORE, Misdeed.RAISE_AFTER, *(Misdeed.RAISE_AFTER_SOMETIMES,) * 3)
    )
    return Script([Step("PENDING"), Step("RUNNING", {"misdeed": misdeed}), Step("COMPLETED")])


def drastic(misdeed: Misdeed) -> Script:
    """Ends its consumer, or keeps it from going on."""
    return Script([Step("PENDING"), Step("RUNNING", {"misdeed": misdeed}), Step("COMPLETED")])


SCRIPTS: Mapping[Callable[[Random], Script], int] = {
    straight: 12,
    flow: 6,
    back_and_forth: 12,
    failing: 6,
    cached: 6,
    scheduled: 6,
    with_deadline: 3,
    forced: 3,
    nobody_knows_it: 3,
    misbehaving: 3,
}
"""What there is to send, and how much of it."""
