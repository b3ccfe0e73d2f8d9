"""What was sent, what was heard, and what is missing."""

from collections import Counter
from dataclasses import dataclass, field

from pydantic_core import from_json

from consumer.broker.messages import Delivery
from consumer.wire.decisions import Verdict
from tests.soak.population import Turn
from tests.soak.steps import Decision


@dataclass(slots=True)
class _Pending:
    turn: Turn
    sent_at: float
    heard: bool = False


@dataclass(slots=True)
class Tally:
    """Keeps account of requests by their correlation ids; times are the caller's, in seconds.

    ``sent`` counts requests, ``copies`` what was published beside their first copies. ``waits`` are
    how long the first decisions took that were heard since somebody last took them.
    """

    sent: int = 0
    copies: int = 0
    confirmed: int = 0
    decided: int = 0
    repeated: int = 0
    replies: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    surprises: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    _pending: dict[str, _Pending] = field(default_factory=dict)
    _unconfirmed: set[str] = field(default_factory=set)

    @property
    def pending(self) -> int:
        """How many requests wait for what is decided in the end."""
        return len(self._pending)

    @property
    def missing(self) -> list[str]:
        """The ids of requests that the broker has confirmed and nobody has decided."""
        return [key for key in self._pending if key not in self._unconfirmed]

    def send(self, turn: Turn, now: float) -> None:
        """A request is about to be published for the first time."""
        self.sent += 1
        self._pending[turn.step.key] = _Pending(turn, now)
        self._unconfirmed.add(turn.step.key)

    def confirm(self, key: str) -> None:
        """The broker has confirmed a request, or one that it has confirmed before."""
        if key in self._unconfirmed:
            self._unconfirmed.remove(key)
            self.confirmed += 1

    def hear(self, delivery: Delivery, now: float) -> tuple[Turn, Decision] | None:
        """A decision was announced.

        Returns the turn that it ends, None where it does not end one: it is a repetition, a delay,
        or about a run that changed along.
        """
        decision: Decision = from_json(delivery.body)
        if not _is_own(delivery, decision):
            return None
        pending = self._pending.get(delivery.properties.correlation_id or "")
        if pending is None:
            self.repeated += 1
            return None
        if not pending.heard:
            pending.heard = True
            self.waits.append(now - pending.sent_at)
        verdict = Verdict(decision["decision"])
        step = pending.turn.step
        if verdict is Verdict.DELAY and not step.returns:
            self.verdicts[verdict] += 1
            return None
        del self._pending[step.key]
        self.decided += 1
        self.verdicts[verdict] += 1
        if verdict not in step.expected:
            wanted = "/".join(sorted(step.expected))
            self.surprises[f"{verdict} {decision['code']} where {wanted} was due"] += 1
        return pending.turn, decision

    def totals(self) -> dict[str, int]:
        """All counts, by what they count."""
        return {
            "requests sent": self.sent,
            "copies of them sent": self.copies,
            "requests confirmed": self.confirmed,
            "requests decided": self.decided,
            "decisions heard again": self.repeated,
            "replies heard": self.replies,
            **{f"decisions: {verdict}": count for verdict, count in self.verdicts.most_common()},
        }

    def take_waits(self) -> list[float]:
        """The waits since they were last taken, shortest first."""
        taken, self.waits = sorted(self.waits), []
        return taken


def _is_own(delivery: Delivery, decision: Decision) -> bool:
    """Whether it is announced under the run that asked, and not under another that changed too."""
    run = decision["run"]
    return run is None or delivery.routing_key.endswith(f".{run['id']}")
