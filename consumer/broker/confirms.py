"""What the broker says to publishes: confirmed, refused or returned."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from struct import Struct

from consumer.broker.decoding import read_body_size, read_properties
from consumer.broker.errors import UndecodableHeader
from consumer.broker.frames import FrameType

_ACK = Struct(">HH").pack(60, 80)
_NACK = Struct(">HH").pack(60, 120)
_RETURN = Struct(">HH").pack(60, 50)
_TAG_AND_FLAGS = Struct(">QB")
_MULTIPLE = 1


class Outcome(StrEnum):
    """What became of one publish."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    RETURNED = "returned"


class Wave:
    """Publishes in flight together on one channel, each with a message id of its own.

    ``first_tag`` is the publish sequence number of the first. The broker returns a message before
    it confirms it, and a return tells the message only by its id.
    """

    def __init__(self, first_tag: int, message_ids: Sequence[str | None]) -> None:
        self._first_tag = first_tag
        self._outcomes: list[Outcome | None] = [None] * len(message_ids)
        self._places = {
            message_id: place
            for place, message_id in enumerate(message_ids)
            if message_id is not None
        }
        self._returned: set[int] = set()
        self._answered_below = 0
        self._missing = len(message_ids)

    @property
    def is_complete(self) -> bool:
        """Whether no answer is missing any more."""
        return self._missing == 0

    @property
    def outcomes(self) -> list[Outcome]:
        """The outcomes so far, in the order of the publishes."""
        return [outcome for outcome in self._outcomes if outcome is not None]

    def returned(self, message_id: str | None) -> None:
        """The broker sent a message back that no queue took."""
        place = self._places.get(message_id) if message_id is not None else None
        if place is not None:
            self._returned.add(place)

    def answered(self, tag: int, *, multiple: bool, refused: bool) -> None:
        """The broker confirmed or refused a publish, or with ``multiple`` all up to it."""
        place = tag - self._first_tag
        if place < 0 or place >= len(self._outcomes):
            return
        if not multiple:
            self._answer(place, refused=refused)
            return
        for each in range(self._answered_below, place + 1):
            self._answer(each, refused=refused)
        self._answered_below = max(self._answered_below, place + 1)

    def _answer(self, place: int, *, refused: bool) -> None:
        if self._outcomes[place] is not None:
            return
        if refused:
            outcome = Outcome.REFUSED
        elif place in self._returned:
            outcome = Outcome.RETURNED
        else:
            outcome = Outcome.CONFIRMED
        self._outcomes[place] = outcome
        self._missing -= 1


class ConfirmTap:
    """Takes a publishing channel's confirms and returns out of the stream."""

    def __init__(self, completed: Callable[[], None]) -> None:
        self._completed = completed
        self._wave: Wave | None = None
        self._in_return = False
        self._missing = 0

    def watch(self, wave: Wave | None) -> None:
        """Tell this wave from now on, and call ``completed`` when no answer is missing."""
        self._wave = wave

    def __call__(self, frame_type: int, payload: bytes) -> bool:
        """Take the frame if it answers a publish."""
        if frame_type == FrameType.METHOD:
            return self._take_method(payload)
        if not self._in_return:
            return False
        if frame_type == FrameType.HEADER:
            self._missing = read_body_size(payload)
            self._take_returned_header(payload)
        else:
            self._missing -= len(payload)
        self._in_return = self._missing > 0
        return True

    def _take_method(self, payload: bytes) -> bool:
        method = payload[:4]
        if method == _RETURN:
            self._in_return = True
            return True
        if method not in (_ACK, _NACK):
            return False
        tag, flags = _TAG_AND_FLAGS.unpack_from(payload, 4)
        if self._wave is not None:
            multiple = bool(flags & _MULTIPLE)
            self._wave.answered(tag, multiple=multiple, refused=method == _NACK)
            if self._wave.is_complete:
                self._completed()
        return True

    def _take_returned_header(self, payload: bytes) -> None:
        if self._wave is None:
            return
        try:
            message_id = read_properties(payload).message_id
        except UndecodableHeader:  # can't be one of ours: we wrote them
            return
        self._wave.returned(message_id)
