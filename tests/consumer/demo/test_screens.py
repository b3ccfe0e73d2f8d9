import re
from io import StringIO

import pytest
from rich.console import Console

from consumer.demo.live_screen import LiveScreen
from consumer.demo.plain_screen import PlainScreen
from consumer.demo.screens import Screen, screen_for
from consumer.wire.decisions import Verdict
from rules.states import Completed
from tests.consumer.demo.world import World

REASON = "The run is scheduled for 2026-01-01 00:00:03 UTC, in 3 s; nobody need ask again."
CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


def terminal(width: int, height: int = 20) -> Console:
    return Console(
        file=StringIO(), force_terminal=True, width=width, height=height, color_system=None
    )


def lines(screen: Screen, console: Console, world: World) -> list[str]:
    """What is written while all of the world's decisions are shown."""
    with screen:
        for entry in world.journal.entries:
            screen.show(entry)
        screen.refresh()
    assert isinstance(console.file, StringIO)
    return CONTROLS.sub("", console.file.getvalue()).splitlines()


@pytest.fixture
def busy(world: World) -> World:
    """A run that has ended, one that waits, and one that has no state."""
    world.exchange(world.decide("load", Completed(data=[1]), request_id="1"), after=1.5)
    delay = world.decide("backup", request_id="2", verdict=Verdict.DELAY, reason=REASON)
    world.exchange(delay.model_copy(update={"code": "scheduled"}))
    world.exchange(world.decide("audit", request_id="3", code="nothing-proposed"))
    return world


def test_a_terminal_gets_a_live_table_and_a_file_plain_lines() -> None:
    assert isinstance(screen_for(terminal(80), ""), LiveScreen)
    assert isinstance(screen_for(Console(file=StringIO()), ""), PlainScreen)


def test_plain_lines_are_not_cut(busy: World) -> None:
    console = Console(file=StringIO(), width=40)
    written = lines(PlainScreen(console, "here"), console, busy)

    assert written[0] == "here"
    assert written[2].split() == ["1.50", "load", "RUNNING", "accept", "Completed", "result", "[1]"]
    assert written[3].endswith(REASON)


@pytest.mark.parametrize("width", [80, 120])
def test_a_reason_is_cut_to_the_width_of_the_terminal(busy: World, width: int) -> None:
    console = terminal(width)
    written = lines(LiveScreen(console, "here"), console, busy)

    assert max(map(len, written)) == width
    [waiting] = {line.rstrip() for line in written if "scheduled  " in line}
    assert waiting.endswith("…")
    assert "The run" in waiting


def test_the_foot_says_how_runs_stand_and_what_was_decided(busy: World) -> None:
    console = terminal(100)
    foot = [line.rstrip() for line in lines(LiveScreen(console, "here"), console, busy)][-3:]

    assert foot == [
        "●●●",
        "3 runs  1 completed",
        "3 decisions  2 accept  0 reject  1 delay  0 abort",
    ]


def test_only_the_newest_decisions_are_shown_where_there_is_no_room(world: World) -> None:
    for number in range(30):
        world.exchange(world.decide(f"task-{number}", Completed(), request_id=str(number)))
    console = terminal(80, height=16)
    last_frame = lines(LiveScreen(console, "here"), console, world)[-16:]

    shown = [line for line in last_frame if "task-" in line]
    assert "task-29" in shown[-1]
    assert len(shown) < 16
