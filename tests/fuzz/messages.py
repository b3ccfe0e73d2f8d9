"""Messages as the broker would deliver them, made of a seed: the same seed, the same message."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from struct import Struct

from consumer.broker.frames import FrameType, frame
from tests.fuzz.bodies import mutated_body
from tests.fuzz.headers import content_header, damaged, random_fields, short

_DELIVER = Struct(">HH").pack(60, 60)
_TAG_AND_FLAGS = Struct(">QB")
_FRAME_ROOM = 131_064
_MANY = 10_000_000
_ODD_IDS = (
    None, b"", b"\0", b"a\0b", b"\xff", b"x" * 255, b"\xc3\xa9" * 127, b" ", b"\n", b"\x1b[31m",
    b"' OR 1=1", b"\xef\xbb\xbf",
)  # fmt: skip
_ODD_KEYS = (b"", b"00", b"FF", b"\xc3\x28", b"#", b"*", b"x" * 255, b"\0", b"pointsman.requests.0")


@dataclass(frozen=True, slots=True)
class Message:
    """What a delivery consists of."""

    header: bytes
    body: bytes
    routing_key: bytes = b"00"
    exchange: bytes = b"pointsman.requests"
    redelivered: bool = False

    def payloads(self, tag: int) -> Iterator[tuple[FrameType, bytes]]:
        """The frames that deliver it, by their type and what is in them."""
        yield (
            FrameType.METHOD,
            _DELIVER
            + short(b"consumer")
            + _TAG_AND_FLAGS.pack(tag, self.redelivered)
            + short(self.exchange)
            + short(self.routing_key),
        )
        yield FrameType.HEADER, self.header
        for at in range(0, len(self.body), _FRAME_ROOM):
            yield FrameType.BODY, self.body[at : at + _FRAME_ROOM]

    def frames(self, tag: int, channel: int) -> bytes:
        """The same as bytes."""
        return b"".join(frame(kind, channel, payload) for kind, payload in self.payloads(tag))


def random_message(chance: Random) -> Message:
    """A request, with something wrong in it or not."""
    body = mutated_body(chance)
    usual = f"r-{chance.randrange(chance.choice((50, *[_MANY] * 19)))}".encode()
    message_id = chance.choice(_ODD_IDS) if chance.random() < 0.05 else usual
    fields = random_fields(chance, message_id)
    if chance.random() < 0.1:
        fields["user_id"] = short(b"boss")
    header = content_header(fields, len(body))
    if chance.random() < 0.04:
        header = damaged(header, chance)
    odd_key = chance.random() < 0.1
    return Message(
        header=header,
        body=body,
        routing_key=chance.choice(_ODD_KEYS) if odd_key else b"00",
        exchange=chance.choice((b"", b"\xff", b"amq.fanout")) if odd_key else b"pointsman.requests",
        redelivered=chance.random() < 0.05,
    )
