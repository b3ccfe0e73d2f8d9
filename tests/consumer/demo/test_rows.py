from consumer.demo.rows import Row, row
from consumer.wire.decisions import Decision, Verdict
from rules.states import Completed, Failed, Running, StateType
from tests.consumer.demo.world import World


def shown(world: World, decision: Decision) -> Row:
    world.exchange(decision)
    return row(world.journal.entries[-1])


def test_a_result_is_shown(world: World) -> None:
    seen = shown(world, world.decide("load", Completed(data={"rows": 3})))

    assert (seen.written, seen.state, seen.remark) == (
        "Completed",
        StateType.COMPLETED,
        'result {"rows":3}',
    )


def test_a_message_is_shown_where_there_is_no_result(world: World) -> None:
    assert shown(world, world.decide("load", Failed(message="no more"))).remark == "no more"


def test_a_reason_comes_first(world: World) -> None:
    seen = shown(
        world,
        world.decide("load", verdict=Verdict.ABORT, code="terminal", reason="It has ended."),
    )

    assert (seen.written, seen.state, seen.code, seen.remark) == (
        "",
        None,
        "terminal",
        "It has ended.",
    )


def test_a_later_attempt_came_by_itself(world: World) -> None:
    assert shown(world, world.decide("load", Running(), attempt=2)).remark == "came back by itself"


def test_a_duplicate_is_told_as_such(world: World) -> None:
    decision = world.decide("load", Running())
    shown(world, decision)

    assert "once more" in shown(world, decision).remark


def test_a_run_that_is_moved_along_names_who_moved_it(world: World) -> None:
    also = world.run("report/charts", Running())
    decision = world.decide("charts", Running(), also_changed=[also])
    world.exchange(decision)
    world.hear(decision, about=also.id)
    seen = row(world.journal.entries[-1])

    assert (seen.run, seen.proposed, seen.written, seen.remark) == (
        "report/charts",
        "",
        "Running",
        "moved along by charts",
    )
