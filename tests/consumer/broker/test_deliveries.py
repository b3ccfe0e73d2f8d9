import struct

from pamqp import base, commands
from pamqp.frame import marshal
from pamqp.header import ContentHeader

from consumer.broker.deliveries import DeliveryTap
from consumer.broker.frames import FrameType
from consumer.broker.messages import Delivery, Properties

FRAME_HEAD = 7


def payload(frame: base.Frame | ContentHeader) -> bytes:
    return marshal(frame, 1)[FRAME_HEAD:-1]


def deliver(tag: int, *, redelivered: bool = False) -> bytes:
    return payload(
        commands.Basic.Deliver(
            consumer_tag="consumer",
            delivery_tag=tag,
            redelivered=redelivered,
            exchange="pointsman.requests",
            routing_key="ab",
        )
    )


def header(size: int, message_id: str) -> bytes:
    return payload(ContentHeader(0, size, commands.Basic.Properties(message_id=message_id)))


def test_a_delivery_is_handed_on_when_it_is_whole() -> None:
    arrived: list[Delivery] = []
    tap = DeliveryTap(arrived.append, partition=3)

    assert tap(FrameType.METHOD, deliver(1, redelivered=True))
    assert tap(FrameType.HEADER, header(4, "m"))
    assert tap(FrameType.BODY, b"bo")
    assert arrived == []
    assert tap(FrameType.BODY, b"dy")

    assert arrived == [
        Delivery(
            body=b"body",
            properties=Properties(message_id="m"),
            exchange="pointsman.requests",
            routing_key="ab",
            redelivered=True,
            tag=1,
            partition=3,
        )
    ]


def test_a_delivery_without_a_body_is_whole_with_its_header() -> None:
    arrived: list[Delivery] = []
    tap = DeliveryTap(arrived.append)

    tap(FrameType.METHOD, deliver(1))
    tap(FrameType.HEADER, header(0, "m"))

    assert [delivery.body for delivery in arrived] == [b""]


def test_a_header_that_can_not_be_decoded_comes_raw_and_the_next_one_decoded() -> None:
    arrived: list[Delivery] = []
    tap = DeliveryTap(arrived.append)
    bad = struct.pack(">HHQH", 60, 0, 2, 1 << 7) + b"\x02\xc3\x28"

    tap(FrameType.METHOD, deliver(1))
    tap(FrameType.HEADER, bad)
    tap(FrameType.BODY, b"xx")
    tap(FrameType.METHOD, deliver(2))
    tap(FrameType.HEADER, header(1, "good"))
    tap(FrameType.BODY, b"y")

    first, second = arrived
    assert (first.raw_header, first.properties, first.body) == (bad, Properties(), b"xx")
    assert (second.raw_header, second.properties.message_id) == (None, "good")


def test_a_routing_key_that_is_not_utf_8_is_told_in_ascii() -> None:
    arrived: list[Delivery] = []
    tap = DeliveryTap(arrived.append)
    method = deliver(1)
    assert method.endswith(b"\x02ab")

    tap(FrameType.METHOD, method[:-2] + b"\xc3\x28")
    tap(FrameType.HEADER, header(0, "m"))

    assert [delivery.routing_key for delivery in arrived] == ["\\xc3("]


def test_what_belongs_to_no_delivery_is_left() -> None:
    tap = DeliveryTap(lambda _: None)

    assert not tap(FrameType.METHOD, payload(commands.Basic.ConsumeOk("consumer")))
    assert not tap(FrameType.METHOD, payload(commands.Basic.GetEmpty()))
    assert not tap(FrameType.HEADER, header(1, "m"))
    assert not tap(FrameType.BODY, b"x")
