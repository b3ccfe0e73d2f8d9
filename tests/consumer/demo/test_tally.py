import pytest

from consumer.demo.plans import ACCEPT, Answer
from consumer.demo.tally import Delay, Figures, count, latest_runs, most_at_once
from consumer.wire.decisions import Verdict
from rules.states import Completed, Pending, Running
from tests.consumer.demo.world import World


def figures(world: World) -> Figures:
    return count(world.journal.sent, world.journal.entries, world.journal.letters)


def test_nothing_comes_to_nothing(world: World) -> None:
    assert figures(world) == Figures(
        sent=0,
        decisions=0,
        announcements=0,
        duplicates=0,
        letters=0,
        answers=(),
        ends=(),
        median_seconds=None,
        longest_delay=None,
    )


def test_a_decision_counts_once_however_often_it_comes(world: World) -> None:
    decision = world.decide("extract", Running())
    world.exchange(decision)
    world.hear(decision)
    world.hear(decision)

    counted = figures(world)
    assert (counted.sent, counted.decisions, counted.duplicates) == (1, 1, 2)
    assert counted.answers == ((ACCEPT, 1),)


def test_decisions_are_counted_by_code_in_the_order_of_verdicts(world: World) -> None:
    terminal = Answer(Verdict.ABORT, "terminal")
    redundant = Answer(Verdict.ABORT, "redundant")
    for number, answer in enumerate([terminal, ACCEPT, redundant, terminal]):
        world.exchange(
            world.decide(
                "extract", request_id=str(number), verdict=answer.verdict, code=answer.code
            )
        )

    assert figures(world).answers == ((ACCEPT, 1), (redundant, 1), (terminal, 2))


def test_runs_end_as_their_newest_version_says(world: World) -> None:
    newer = world.run("extract", Completed(), version=3)
    older = world.run("extract", Running(), version=2)
    world.exchange(world.decide("extract", Completed(), request_id="a", run=newer))
    world.exchange(world.decide("extract", Running(), request_id="b", run=older))
    world.exchange(world.decide("load", Pending(), request_id="c"))

    assert figures(world).ends == (("Completed", 1), ("Pending", 1))


def test_a_run_that_was_moved_along_is_a_run_too(world: World) -> None:
    also = world.run("report/charts", Running())
    world.exchange(world.decide("charts", Running(), also_changed=[also]))

    assert set(latest_runs(world.journal.entries)) == {
        world.roster.id_of("charts"),
        world.roster.id_of("report/charts"),
    }


def test_the_median_is_from_publishing_to_the_first_decision(world: World) -> None:
    for number, seconds in enumerate([0.01, 0.5, 0.02]):
        world.exchange(world.decide("extract", request_id=str(number)), after=seconds)
    world.now += 100
    world.hear(world.decide("extract", request_id="0", attempt=1))

    assert figures(world).median_seconds == pytest.approx(0.02)


def test_a_delay_is_kept_when_the_request_is_decided_again(world: World) -> None:
    for name, request_id in (("backup", "a"), ("letter", "never again")):
        delay = world.decide(name, request_id=request_id, verdict=Verdict.DELAY, delay_seconds=3)
        world.exchange(delay)
    world.now = 3.25
    world.hear(world.decide("backup", Running(), request_id="a", attempt=1))

    assert figures(world).longest_delay == Delay(asked=3, kept=3.25)


def test_runs_are_at_the_same_time_what_they_were_decided_to_be(world: World) -> None:
    steps = [
        ("a", Running()),
        ("b", Running()),
        ("stranger", Running()),
        ("a", Completed()),
        ("c", Running()),
        ("b", None),
        ("b", Completed()),
    ]
    for number, (name, state) in enumerate(steps):
        world.exchange(world.decide(name, state, request_id=str(number)), after=1)
    ids = frozenset(world.roster.id_of(name) for name in "abc")

    assert most_at_once(world.journal.entries, ids) == 2
