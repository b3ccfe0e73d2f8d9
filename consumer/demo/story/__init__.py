"""The story of the demo: one night at a shop that sells in six regions."""

from consumer.demo.plans import ACCEPT, Answer, Story
from consumer.demo.story.flows import WAREHOUSE_SLOTS, flows, warehouse_tag
from consumer.demo.story.scenes import closed_tag, scenes
from consumer.wire.decisions import Verdict
from consumer.wire.names import Code
from rules import DecisionCode

__all__ = ["tell"]

_MUST_BE_SEEN = frozenset(
    {
        ACCEPT,
        Answer(Verdict.ACCEPT, Code.NOTHING_PROPOSED),
        Answer(Verdict.REJECT, DecisionCode.RETRY),
        Answer(Verdict.REJECT, DecisionCode.CACHED),
        Answer(Verdict.DELAY, DecisionCode.SCHEDULED),
        Answer(Verdict.DELAY, DecisionCode.LIMIT_REACHED),
        Answer(Verdict.ABORT, DecisionCode.REDUNDANT),
        Answer(Verdict.ABORT, DecisionCode.TERMINAL),
        Answer(Verdict.ABORT, DecisionCode.LIMIT_ZERO),
        Answer(Verdict.ABORT, Code.INVALID),
    }
)


def tell(edition: str) -> Story:
    """The story; ``edition`` keeps the tags and cache keys of two showings apart."""
    return Story(
        flows=tuple(flows(edition)),
        scenes=tuple(scenes(edition)),
        limits={warehouse_tag(edition): WAREHOUSE_SLOTS, closed_tag(edition): 0},
        answers=_MUST_BE_SEEN,
        repeats=1,
    )
