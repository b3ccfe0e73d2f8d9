"""How a proposal is answered."""

from dataclasses import dataclass
from enum import StrEnum


class SetStateStatus(StrEnum):
    """The four answers.

    ACCEPT: the proposal was written. REJECT: another state was written instead, or none. WAIT and
    ABORT: nothing was written; the first may be proposed again later.
    """

    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    WAIT = "WAIT"
    ABORT = "ABORT"


class DecisionCode(StrEnum):
    """What a client program reads of an answer; users' own rules add codes of their own."""

    CACHED = "cached"
    LIMIT_REACHED = "limit-reached"
    LIMIT_ZERO = "limit-zero"
    NO_DEPLOYMENT = "no-deployment"
    NOTHING_PROPOSED = "nothing-proposed"
    REDUNDANT = "redundant"
    RETRY = "retry"
    RULE_ERROR = "rule-error"
    SCHEDULED = "scheduled"
    TERMINAL = "terminal"


@dataclass(frozen=True, slots=True)
class StateAcceptDetails:
    """Accepted; ``code`` is set only where there is something to say."""

    code: str | None = None


@dataclass(frozen=True, slots=True)
class StateRejectDetails:
    """Rejected, for ``reason``, a sentence for people."""

    reason: str
    code: str


@dataclass(frozen=True, slots=True)
class StateWaitDetails:
    """Delayed, by whole seconds, for ``reason``."""

    delay_seconds: int
    reason: str
    code: str


@dataclass(frozen=True, slots=True)
class StateAbortDetails:
    """Aborted, for ``reason``."""

    reason: str
    code: str


ResponseDetails = StateAcceptDetails | StateRejectDetails | StateWaitDetails | StateAbortDetails
