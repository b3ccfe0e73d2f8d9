"""What producers send in a sound history: a script for each run, of every kind at least once."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import cycle, islice
from random import Random
from typing import Any
from uuid import UUID

from consumer.wire.body import OnDelay
from rules.runs import RunKind
from rules.states import StateType

BOSS = "boss"
"""The user who may force states."""

EXPLODE = "explode"
"""The parameter that makes a rule fail."""

LIMITS = {"db": 2, "gpu": 1, "shut": 0}
REPLIES = "pointsman.replies.a"

_TAGS: Sequence[Sequence[str]] = ((), ("db",), ("db", "gpu"), ("free",), ("gpu", "free"))
_NOISE = (None, *StateType, StateType.RUNNING, StateType.RUNNING)

_OWN = ("request_id", "failures", "faulty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A message that is to be sent; ``failures`` is how often a hook fails over it.

    A ``smooth`` one is sent once, straight, confirmed, and asks for a reply.
    """

    request_id: str | None
    run_id: UUID | None
    kind: RunKind | None
    body: bytes
    on_delay: OnDelay = OnDelay.RETRY
    user_id: str | None = None
    failures: int = 0
    faulty: bool = False
    smooth: bool = False


@dataclass(slots=True)
class Author:
    """Writes scripts; ``now`` is when the first message is sent."""

    rng: Random
    now: datetime
    _written: int = field(default=0, init=False)

    def scripts(self, runs: int) -> Iterator[Sequence[Item]]:
        """One script for each run: its messages in the order in which they are sent.

        Those of the first script of each kind are smooth, so that each history has such.
        """
        kinds = (
            self._plain,
            self._retried,
            self._scheduled,
            self._left_running,
            self._returned,
            self._unreadable,
            self._exploding,
            self._failing,
            self._reused,
            self._unknown,
            self._subflow,
            self._noise,
        )
        for number, write in enumerate(islice(cycle(kinds), runs)):
            script = write(UUID(int=self.rng.getrandbits(128)), list(self.rng.choice(_TAGS)))
            yield [replace(item, smooth=number < len(kinds)) for item in script]

    def _plain(self, run: UUID, tags: list[str]) -> Iterator[Item]:
        yield self._item(run, StateType.PENDING, create={"tags": tags})
        yield self._item(run, StateType.RUNNING)
        yield self._item(run, self.rng.choice([StateType.COMPLETED, StateType.FAILED]))

    def _retried(self, run: UUID, tags: list[str]) -> Iterator[Item]:
        yield self._item(run, StateType.RUNNING, create={"tags": tags, "policy": {"retries": 1}})
        yield self._item(run, StateType.FAILED)
        yield self._item(run, StateType.RUNNING)
        yield self._item(run, StateType.CANCELLING)

    def _scheduled(self, run: UUID, tags: list[str]) -> Iterator[Item]:
        due = {"scheduled_time": self._in(20)}
        state = {"type": "SCHEDULED", "state_details": due}
        yield self._item(run, StateType.SCHEDULED, create={"tags": tags}, state=state)
        yield self._item(run, StateType.RUNNING)
        yield self._item(run, StateType.COMPLETED)

    def _left_running(self, run: UUID, tags: list[str]) -> Iterator[Item]:
        yield self._item(run, StateType.RUNNING, create={"tags": ["db", *tags]})
        yield self._item(run, StateType.RUNNING)

    def _returned(self, run: UUID, tags: list[str]) -> Iterator[Item]:
        due = {"scheduled_time": self._in(1_000)}
        state = {"type": "SCHEDULED", "state_details": due}
        yield self._item(run, StateType.SCHEDULED, create={"tags": tags}, state=state)
        yield self._item(run, StateType.RUNNING, on_delay=OnDelay.RETURN)
        yield self._item(run, StateType.RUNNING, force=True)

    def _unreadable(self, run: UUID, tags: list[str]) -> Iterator[Item]:
        broken = json.dumps({"run": str(run), "tags": tags}).encode()
        yield Item(request_id=self._id(), run_id=None, kind=None, body=broken)
        yield Item(request_id=None, run_id=None, kind=None, body=broken)

    def _exploding(self, run: UUID, tags: list[str]) -> Iterator[Item]:
        yield self._item(run, StateType.PENDING, create={"tags": tags})
        yield self._item(run, StateType.RUNNING, parameters={EXPLODE: True}, faulty=True)
        yield self._item(run, StateType.COMPLETED)

    def _failing(self, run: UUID, tags: list[str]) -> Iterator[Item]:
        yield self._item(run, StateType.PENDING, create={"tags": tags})
        yield self._item(run, StateType.RUNNING, failures=2, faulty=True)
        yield self._item(run, StateType.COMPLETED)
        yield self._item(run, None)

    def _reused(self, run: UUID, tags: list[str]) -> Iterator[Item]:
        first = self._item(run, StateType.RUNNING, create={"tags": tags})
        yield first
        yield self._item(run, StateType.FAILED, request_id=first.request_id)
        yield self._item(run, StateType.COMPLETED)

    def _unknown(self, run: UUID, tags: list[str]) -> Iterator[Item]:
        yield self._item(run, StateType.RUNNING)
        yield self._item(run, None, create={"tags": [*tags, "shut"]})
        yield self._item(run, StateType.RUNNING)
        yield self._item(run, StateType.RUNNING, kind=RunKind.FLOW)
        yield self._item(run, StateType.RUNNING, expected_state_id=run)

    def _subflow(self, run: UUID, tags: list[str]) -> Iterator[Item]:
        parent = UUID(int=run.int ^ 1)
        flow = {"kind": RunKind.FLOW, "create": {"parent_task_run_id": str(parent)}}
        yield self._item(parent, StateType.RUNNING, create={"tags": tags})
        yield self._item(run, StateType.RUNNING, **flow)
        yield self._item(run, StateType.COMPLETED, **flow)

    def _noise(self, run: UUID, tags: list[str]) -> Iterator[Item]:
        for _ in range(self.rng.randint(2, 8)):
            forced = self.rng.random() < 0.2
            proposed = self.rng.choice(_NOISE)
            yield self._item(run, proposed, create={"tags": tags}, force=forced)

    def _item(self, run: UUID, proposed: StateType | None, **fields: Any) -> Item:
        kind = fields.pop("kind", RunKind.TASK)
        own = {
            name: fields.pop(name)
            for name in ("request_id", "failures", "faulty")
            if name in fields
        }
        body = {
            "run": {"kind": kind, "id": str(run)},
            "state": None if proposed is None else {"type": proposed},
            "deadline": self._in(90),  # so that no delay goes on for ever
            **fields,
        }
        return Item(
            run_id=run,
            kind=kind,
            body=json.dumps(body, default=str).encode(),
            on_delay=fields.get("on_delay", OnDelay.RETRY),
            user_id=BOSS if fields.get("force") else None,
            **{"request_id": self._id(), **own},
        )

    def _in(self, seconds: float) -> str:
        return (self.now + timedelta(seconds=seconds)).isoformat()

    def _id(self) -> str:
        self._written += 1
        return f"r-{self._written}"
