"""What can be wrong with a history, by names."""

from dataclasses import dataclass
from enum import StrEnum


class ViolationKind(StrEnum):
    """What was promised and does not hold; each is planted in sound histories by a test."""

    # Of requests: nothing lost, nothing decided twice, nobody blamed.
    LOST = "a confirmed request has no decision"
    ATTEMPT_LOST = "a delayed request did not come back"
    ATTEMPT_UNFOUNDED = "an attempt was decided that no delay leads to"
    DECIDED_TWICE = "two decisions are on record for one attempt"
    NOT_SENT = "a decision is on record for a request that nobody sent"
    RECORD_DIFFERS = "a decision's row differs from its bytes, or from what was sent"
    DELAY_CUT_SHORT = "a delayed request came back too early"
    BLAMED = "a request was condemned that is not at fault"

    # Of what subscribers hear.
    UNPUBLISHED = "a decision on record was never announced"
    UNANSWERED = "a decision on record never came to the reply queue"
    BYTES_CHANGED = "a decision was heard with other bytes"
    WRONG_MESSAGE_ID = "a decision was heard under a message id that is not its own"
    WRONG_ROUTING_KEY = "a decision was heard under a routing key that is not its own"
    WRONG_CORRELATION = "a decision was heard with another correlation id than the request's"
    NOT_ON_RECORD = "a decision was heard that is not on record"

    # Of states and runs.
    STATE_MISSING = "a decision's state was not written"
    STATE_UNFOUNDED = "a state was written that no decision wrote"
    STATE_DIFFERS = "a state differs from what its decision says"
    STATE_OF_REFUSAL = "a delay or an abort wrote a state"
    VERSION_GAP = "a run's versions have a gap"
    VERSION_REPEATED = "a run's version was given twice"
    VERSION_BACKWARDS = "a later decision shows an older version of a run"
    RUN_DIFFERS = "a run does not point at its last state"

    # Of slots.
    SLOT_LEAKED = "a run holds a slot that it should not"
    SLOT_MISSING = "a run that was let run does not hold its slot"
    SLOT_OVER_LIMIT = "more runs ran at a time than the limit allows"

    # Of order.
    OUT_OF_ORDER = "a run's requests were not decided in the order in which they were sent"

    # Of dead letters.
    LETTER_MISSING = "a dead letter is not on record"
    LETTER_DOUBLED = "a dead letter is on record twice"
    LETTER_UNFOUNDED = "a dead letter is on record that nothing explains"
    LETTER_CHANGED = "a dead letter's body or reason is not that of its request"

    # Of queues.
    LEFT_READY = "a queue still holds messages"
    LEFT_UNACKNOWLEDGED = "a message was delivered and never acknowledged"
    LEFT_IN_LADDER = "a queue of the ladder still holds messages"
    LEFT_AS_DEAD_LETTER = "a dead letter was not fetched from its queue"
    QUEUE_UNCOUNTED = "a queue was not looked at"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that does not hold.

    ``subject`` names what it is about: a request's id, with ``/attempt`` where it is one attempt, a
    run's id, ``tag run id`` of a slot, a letter's id, or a queue.
    """

    kind: ViolationKind
    subject: str
    details: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.subject}: {self.details}"
