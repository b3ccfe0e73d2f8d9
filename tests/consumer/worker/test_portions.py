from consumer.wire.requests import Reading
from consumer.worker.serving import portions
from rules.identifiers import uuid7
from tests.consumer.worker.governors import reading


def readings(number: int) -> list[Reading]:
    body = {"run": {"kind": "task", "id": str(uuid7())}, "state": None}
    return [reading(body, f"r-{place}") for place in range(number)]


def cut(number: int, *suspects: int) -> list[tuple[list[str | None], bool]]:
    keys = {(f"r-{place}", 0) for place in suspects}
    return [
        ([each.envelope.request_id for each in portion.readings], portion.suspect is not None)
        for portion in portions(readings(number), keys)
    ]


def test_what_is_not_suspected_stays_together() -> None:
    assert cut(3) == [(["r-0", "r-1", "r-2"], False)]


def test_a_suspect_is_by_itself_and_the_order_stays() -> None:
    assert cut(6, 0, 3, 4) == [
        (["r-0"], True),
        (["r-1", "r-2"], False),
        (["r-3"], True),
        (["r-4"], True),
        (["r-5"], False),
    ]


def test_nothing_is_no_portion() -> None:
    assert cut(0) == []


def test_what_is_no_request_is_never_a_suspect() -> None:
    [portion] = portions([reading(b"{", "r-0")], {("r-0", 0)})
    assert portion.suspect is None
