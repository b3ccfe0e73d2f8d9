"""The page on delivery names every event of the log, every header and every reason there is."""

import re

from consumer.wire.names import Code, DeadHeader, Header
from tests.docs.pages import ROOT, code, page, rows, section

PAGE = page("delivery.md")
EVENT = re.compile(r'(?:log\.(?:\w+)\(\s*|event = |else )"([a-z]+(?:-[a-z]+)*)"')

DEADLY = (Code.INVALID, Code.RULE_ERROR, Code.NOT_WRITTEN, Code.FAILED)


def events() -> set[str]:
    """What the sources log; the demo logs nothing of its own."""
    files = [
        file
        for name in ("rules", "persistence", "consumer")
        for file in (ROOT / name).rglob("*.py")
    ]
    logging = [text for file in files if "structlog" in (text := file.read_text(encoding="utf-8"))]
    return {event for text in logging for event in EVENT.findall(text)}


def test_just_the_events_that_are_logged_stand_there() -> None:
    assert {code(row[0]) for row in rows(section(PAGE, "What the log says"))} == events()


def test_every_header_stands_there() -> None:
    assert set(re.findall(r"`(pointsman-[a-z-]+)`", PAGE)) == {*Header, *DeadHeader}


def test_every_reason_of_a_dead_letter_stands_there() -> None:
    told = {code(row[0]) for row in rows(section(PAGE, "Dead letters"))}
    assert told == {*DEADLY, "undelivered"}
