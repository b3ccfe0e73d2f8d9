"""A decision as one line, for a program or for a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from consumer.demo.palette import VERDICTS
from consumer.explaining.wording import clock_time
from consumer.tailing.subscription import Announced
from consumer.wire.decisions import NONE, Verdict

_WIDTH = max(map(len, Verdict))
_PARTS_OF_A_KEY = 4
_STYLES = {verdict.value: style for verdict, style in VERDICTS.items()}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a line, with a colour or without."""

    text: str
    style: str = ""


def json_line(announced: Announced) -> str:
    """The decision with all its keys, and ``routing_key`` besides."""
    return to_json({**announced.decision, "routing_key": announced.routing_key}).decode()


def parts(announced: Announced) -> Iterator[Part]:
    """When, which run, what was decided, what was written, and why."""
    decision = announced.decision
    kind, state_type, run_id = _from_key(announced.routing_key)
    verdict = str(decision.get("decision"))
    yield Part(_when(decision.get("decided_at")), "dim")
    yield Part(f"{kind:<4} {run_id:<36}")
    yield Part(f"{verdict:<{_WIDTH}}", _STYLES.get(verdict, ""))
    own = _own_run(decision)
    if own is not None and own != run_id:
        yield Part(f"{state_type.upper()}, along with {own}")
        return
    yield from _what(decision)


def _what(decision: dict[str, Any]) -> Iterator[Part]:
    state = decision.get("state")
    if isinstance(state, dict):
        yield Part(f"{state.get('type')} ({state.get('name')})")
    if decision.get("code"):
        yield Part(str(decision["code"]), "bold")
    if decision.get("retry_at"):
        yield Part(f"until {_when(decision['retry_at'])}")
    if decision.get("reason"):
        yield Part(str(decision["reason"]), "dim")


def _from_key(routing_key: str) -> tuple[str, str, str]:
    """The kind of run, the type of state and the run's id."""
    words = routing_key.split(".")
    if len(words) != _PARTS_OF_A_KEY:
        return NONE, NONE, NONE
    return words[0], words[2], words[3]


def _own_run(decision: dict[str, Any]) -> str | None:
    """The run that the decision is on; the same decision is announced for others that it moved."""
    run = decision.get("run")
    return str(run.get("id")) if isinstance(run, dict) else None


def _when(moment: object) -> str:
    try:
        return clock_time(datetime.fromisoformat(str(moment)))
    except (ValueError, OverflowError):
        return "-"
