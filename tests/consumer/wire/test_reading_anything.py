"""Whatever a stranger sends, the reader answers with a request, or with why it is none."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.broker.deliveries import DeliveryTap
from consumer.broker.messages import Delivery
from consumer.wire.requests import Request, Unreadable
from tests.consumer.wire.messages import READER, delivery
from tests.fuzz.messages import Message, random_message

REPEATABLE = settings(derandomize=True, database=None, deadline=None, max_examples=200)
LONGEST_REASON = 1_200


def delivered(message: Message) -> Delivery:
    deliveries: list[Delivery] = []
    tap = DeliveryTap(deliveries.append)
    for kind, payload in message.payloads(tag=1):
        assert tap(kind, payload)
    [arrived] = deliveries
    return arrived


def check(arrived: Delivery) -> None:
    reading = READER.read(arrived)
    assert reading.envelope.delivery is arrived
    if isinstance(reading, Request):
        assert reading.request_id == arrived.properties.message_id
        return
    assert isinstance(reading, Unreadable)
    assert reading.reason
    assert reading.reason.isprintable()
    assert len(reading.reason.encode()) <= LONGEST_REASON


@REPEATABLE
@given(st.randoms(use_true_random=False))
def test_a_request_in_which_something_was_changed(chance: Random) -> None:
    check(delivered(random_message(chance)))


@REPEATABLE
@given(st.binary(max_size=200))
def test_a_body_of_any_bytes(body: bytes) -> None:
    check(delivery(body))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@REPEATABLE
@given(st.dictionaries(st.sampled_from(["run", "state", "create", "force", "parameters"]), JSON))
def test_a_body_of_any_json(body: dict[str, object]) -> None:
    check(delivery(body))


TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=255)


PROPERTIES = ("message_id", "type", "content_type", "content_encoding", "reply_to")


@REPEATABLE
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(PROPERTIES, TEXTS)))
def test_properties_of_any_text(properties: dict[str, str | None]) -> None:
    check(delivery(**properties))
