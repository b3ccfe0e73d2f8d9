from pamqp import base, commands
from pamqp.frame import marshal
from pamqp.header import ContentHeader

from consumer.broker.confirms import ConfirmTap, Outcome, Wave
from consumer.broker.frames import FrameType

FRAME_HEAD = 7


def payload(frame: base.Frame | ContentHeader) -> bytes:
    return marshal(frame, 1)[FRAME_HEAD:-1]


def three() -> Wave:
    return Wave(11, ["a", "b", "c"])


def test_each_publish_has_its_own_answer_in_the_order_of_the_publishes() -> None:
    wave = three()

    wave.answered(13, multiple=False, refused=True)
    wave.returned("b")
    wave.answered(12, multiple=False, refused=False)
    wave.answered(11, multiple=False, refused=False)

    assert wave.is_complete
    assert wave.outcomes == [Outcome.CONFIRMED, Outcome.RETURNED, Outcome.REFUSED]


def test_an_answer_to_many_reaches_back_to_the_first() -> None:
    wave = three()

    wave.answered(12, multiple=True, refused=False)

    assert not wave.is_complete
    assert wave.outcomes == [Outcome.CONFIRMED, Outcome.CONFIRMED]


def test_an_answer_to_many_leaves_what_was_answered_alone() -> None:
    wave = three()

    wave.answered(12, multiple=False, refused=True)
    wave.answered(13, multiple=True, refused=False)

    assert wave.outcomes == [Outcome.CONFIRMED, Outcome.REFUSED, Outcome.CONFIRMED]


def test_answers_to_publishes_of_another_wave_change_nothing() -> None:
    wave = three()

    wave.answered(10, multiple=True, refused=False)
    wave.answered(14, multiple=False, refused=False)
    wave.returned("somebody else's")
    wave.returned(None)

    assert wave.outcomes == []


def test_messages_without_an_id_are_confirmed_all_the_same() -> None:
    wave = Wave(1, [None, None])

    wave.answered(2, multiple=True, refused=False)

    assert wave.outcomes == [Outcome.CONFIRMED, Outcome.CONFIRMED]


def test_the_tap_takes_answers_and_returned_messages_and_tells_when_all_is_answered() -> None:
    completed: list[bool] = []
    tap = ConfirmTap(lambda: completed.append(True))
    wave = Wave(1, ["a", "b"])
    tap.watch(wave)

    taken = [
        tap(FrameType.METHOD, payload(commands.Basic.Return(312, "NO_ROUTE", "", "gone"))),
        tap(
            FrameType.HEADER,
            payload(ContentHeader(0, 4, commands.Basic.Properties(message_id="b"))),
        ),
        tap(FrameType.BODY, b"bo"),
        tap(FrameType.BODY, b"dy"),
        tap(FrameType.METHOD, payload(commands.Basic.Ack(1))),
    ]
    assert completed == []
    taken.append(tap(FrameType.METHOD, payload(commands.Basic.Nack(2, multiple=True))))

    assert all(taken)
    assert completed == [True]
    assert wave.outcomes == [Outcome.CONFIRMED, Outcome.REFUSED]


def test_the_tap_leaves_what_is_no_answer() -> None:
    tap = ConfirmTap(lambda: None)

    assert not tap(FrameType.METHOD, payload(commands.Confirm.SelectOk()))
    assert not tap(FrameType.HEADER, payload(ContentHeader(0, 1)))
    assert not tap(FrameType.BODY, b"x")


def test_the_tap_takes_late_answers_that_nobody_waits_for() -> None:
    tap = ConfirmTap(lambda: None)

    assert tap(FrameType.METHOD, payload(commands.Basic.Ack(1)))
    assert tap(FrameType.METHOD, payload(commands.Basic.Return(312, "NO_ROUTE", "", "gone")))
    assert tap(FrameType.HEADER, payload(ContentHeader(0, 0)))


def test_a_returned_header_that_can_not_be_read_ends_nothing() -> None:
    tap = ConfirmTap(lambda: None)
    wave = Wave(1, ["a"])
    tap.watch(wave)

    tap(FrameType.METHOD, payload(commands.Basic.Return(312, "NO_ROUTE", "", "gone")))
    tap(FrameType.HEADER, ContentHeader(0, 0).marshal()[:12] + b"\x00\x80\x05")
    tap(FrameType.METHOD, payload(commands.Basic.Ack(1)))

    assert wave.outcomes == [Outcome.CONFIRMED]
