"""What else goes on in the night: early starts, double clicks, cancellations, strangers."""

from collections.abc import Iterator

from consumer.demo.plans import ACCEPT, Actor, Answer, Scene, Step
from consumer.wire.body import OnDelay
from consumer.wire.decisions import Verdict
from consumer.wire.names import Code
from rules import DecisionCode
from rules.identifiers import uuid7
from rules.runs import RunKind
from rules.states import StateName, StateType

_SCHEDULED, _PENDING, _RUNNING = StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING
_CANCELLING, _CANCELLED = StateType.CANCELLING, StateType.CANCELLED
_COMPLETED, _FAILED, _CRASHED = StateType.COMPLETED, StateType.FAILED, StateType.CRASHED

_WAIT = Answer(Verdict.DELAY, DecisionCode.SCHEDULED)
_REDUNDANT = Answer(Verdict.ABORT, DecisionCode.REDUNDANT)
_TERMINAL = Answer(Verdict.ABORT, DecisionCode.TERMINAL)
_NO_DEPLOYMENT = Answer(Verdict.ABORT, DecisionCode.NO_DEPLOYMENT)
_LIMIT_ZERO = Answer(Verdict.ABORT, DecisionCode.LIMIT_ZERO)
_NOTHING_PROPOSED = Answer(Verdict.ACCEPT, Code.NOTHING_PROPOSED)


def _refused(code: Code) -> tuple[Answer]:
    return (Answer(Verdict.ABORT, code),)


def closed_tag(edition: str) -> str:
    """The tag of what must not run at all tonight."""
    return f"maintenance-{edition}"


def scenes(edition: str) -> Iterator[Scene]:
    """All scenes."""
    yield _started_early()
    yield _asked_back_later()
    yield _clicked_twice()
    yield _called_off()
    yield _crashed_and_mended()
    yield _closed(closed_tag(edition))
    yield _strangers()


def _started_early() -> Scene:
    name = "backup"
    return Scene(
        name="a flow is scheduled 3 s ahead, proposed at once, and starts by itself",
        seconds=0.3,
        actors=(Actor(name=name, kind=RunKind.FLOW, create={}),),
        steps=(
            Step(actor=name, proposes=_SCHEDULED, scheduled_in=3),
            Step(actor=name, proposes=_RUNNING, answers=(_WAIT, ACCEPT), after=0.1),
            Step(actor=name, proposes=_PENDING, answers=(_REDUNDANT,), after=0.3),
            Step(actor=name, proposes=_COMPLETED, after=0.5),
            Step(actor=name, proposes=_RUNNING, answers=(_TERMINAL,), after=0.3),
            Step(
                actor=name,
                proposes=_SCHEDULED,
                named=StateName.AWAITING_RETRY,
                answers=(_NO_DEPLOYMENT,),
                after=0.3,
            ),
        ),
    )


def _asked_back_later() -> Scene:
    name = "newsletter"
    return Scene(
        name="a sender that wants delays returned asks again by itself",
        seconds=1.4,
        actors=(Actor(name=name, create={}),),
        steps=(
            Step(actor=name, proposes=_SCHEDULED, scheduled_in=3),
            Step(
                actor=name,
                proposes=_RUNNING,
                answers=(_WAIT,),
                more={"on_delay": OnDelay.RETURN},
                after=0.1,
            ),
            Step(actor=name, proposes=_RUNNING, after=3.0),
            Step(actor=name, proposes=_COMPLETED, after=0.4),
        ),
    )


def _clicked_twice() -> Scene:
    name, click = "invoice", "click"
    return Scene(
        name="a request is sent twice, and its id is then used for another one",
        seconds=2.0,
        actors=(Actor(name=name, create={"name": name}),),
        steps=(
            Step(actor=name, proposes=_PENDING, label=click),
            Step(actor=name, proposes=_PENDING, label=click, after=0.3),
            Step(
                actor=name,
                proposes=_RUNNING,
                label=click,
                answers=_refused(Code.ID_REUSED),
                after=0.3,
            ),
            Step(actor=name, proposes=_RUNNING, after=0.3),
            Step(actor=name, proposes=_COMPLETED, after=0.4),
        ),
    )


def _called_off() -> Scene:
    flow, download, unpack = "import", "import/download", "import/unpack"
    return Scene(
        name="a flow is cancelled while its tasks run and wait",
        seconds=3.0,
        actors=(
            Actor(name=flow, kind=RunKind.FLOW, create={}, ends_as="Cancelled"),
            Actor(name=download, flow=flow, create={}, ends_as="Cancelled"),
            Actor(name=unpack, flow=flow, create={}, ends_as="Cancelled"),
        ),
        steps=(
            Step(actor=flow, proposes=_PENDING),
            Step(actor=flow, proposes=_RUNNING),
            Step(actor=download, proposes=_PENDING),
            Step(actor=unpack, proposes=_PENDING),
            Step(actor=download, proposes=_RUNNING),
            Step(actor=flow, proposes=_CANCELLING, message="the partner called it off", after=0.8),
            Step(actor=download, proposes=_CANCELLING),
            Step(actor=unpack, proposes=_CANCELLED),
            Step(actor=download, proposes=_CANCELLED, after=0.4),
            Step(actor=flow, proposes=_CANCELLED),
            Step(actor=download, proposes=_COMPLETED, answers=(_TERMINAL,), after=0.3),
        ),
    )


def _crashed_and_mended() -> Scene:
    flow, task = "dispatch", "dispatch/labels"
    return Scene(
        name="a worker crashes; the flow is run again from its deployment",
        seconds=4.0,
        actors=(
            Actor(name=flow, kind=RunKind.FLOW, create={"deployment_id": "nightly"}),
            Actor(name=task, flow=flow, create={}),
        ),
        steps=(
            Step(actor=flow, proposes=_PENDING),
            Step(actor=flow, proposes=_RUNNING),
            Step(actor=task, proposes=_PENDING),
            Step(actor=task, proposes=_RUNNING),
            Step(actor=task, proposes=_CRASHED, message="the worker is gone", after=0.7),
            Step(actor=flow, proposes=_FAILED),
            Step(actor=task, proposes=_RUNNING, answers=(_TERMINAL,), after=0.3),
            Step(actor=flow, proposes=_SCHEDULED, named=StateName.AWAITING_RETRY, after=0.5),
            Step(actor=flow, proposes=_RUNNING),
            Step(actor=task, proposes=_RUNNING),
            Step(actor=task, proposes=_COMPLETED, after=0.5),
            Step(actor=flow, proposes=_COMPLETED),
        ),
    )


def _closed(tag: str) -> Scene:
    name = "reindex"
    return Scene(
        name="a task whose tag has no slots at all",
        seconds=5.0,
        actors=(Actor(name=name, create={"tags": [tag]}, ends_as="Cancelled"),),
        steps=(
            Step(actor=name, proposes=_PENDING),
            Step(actor=name, proposes=_RUNNING, answers=(_LIMIT_ZERO,), after=0.2),
            Step(actor=name, proposes=_CANCELLED, after=0.5),
        ),
    )


def _strangers() -> Scene:
    audit, ghost = "audit", "ghost"
    return Scene(
        name="requests that are refused before any rule sees them",
        seconds=6.0,
        actors=(Actor(name=audit, create={}), Actor(name=ghost, create=None, ends_as=None)),
        steps=(
            Step(actor=audit, answers=(_NOTHING_PROPOSED,)),
            Step(
                actor=ghost,
                instead={"task": "load", "status": "done", "took": 12},
                answers=_refused(Code.INVALID),
                after=0.2,
            ),
            Step(actor=ghost, proposes=_RUNNING, answers=_refused(Code.RUN_NOT_FOUND), after=0.2),
            Step(
                actor=audit,
                proposes=_RUNNING,
                more={"expected_state_id": str(uuid7())},
                answers=_refused(Code.STALE),
                after=0.2,
            ),
            Step(
                actor=audit,
                proposes=_COMPLETED,
                more={"force": True},
                answers=_refused(Code.FORBIDDEN),
                after=0.2,
            ),
            Step(
                actor=audit,
                proposes=_RUNNING,
                deadline_in=-1,
                answers=_refused(Code.DEADLINE),
                after=0.2,
            ),
            Step(actor=audit, proposes=_RUNNING, after=0.2),
            Step(actor=audit, proposes=_COMPLETED, after=0.4),
        ),
    )
