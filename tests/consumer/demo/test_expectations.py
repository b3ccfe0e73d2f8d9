import pytest

from consumer.demo.expectations import disappointments
from consumer.demo.plans import ACCEPT, Answer, FlowPlan, Story, TaskPlan
from consumer.wire.decisions import Verdict
from rules.states import Completed, Running
from tests.consumer.demo.world import World, letter

TASKS = (TaskPlan(name="a", tags=("t",)), TaskPlan(name="b", tags=("t",)))
STORY = Story(
    flows=(FlowPlan(name="f", stages=(TASKS,)),),
    scenes=(),
    limits={"t": 1},
    answers=frozenset({ACCEPT}),
    repeats=1,
)


def told(world: World, story: Story = STORY) -> list[str]:
    return list(disappointments(story, world.roster, world.journal))


@pytest.fixture
def ended(world: World) -> World:
    """A world in which all went as the story says."""
    for name in ("f/a", "f/b"):
        world.exchange(world.decide(name, Running(), request_id=f"{name} runs"), after=1)
        done = world.run(name, Completed(), version=2)
        world.exchange(world.decide(name, Completed(), request_id=name, run=done), after=1)
    world.exchange(world.decide("f", Completed(), request_id="f"))
    world.hear(world.decide("f", Completed(), request_id="f"))
    world.journal.receive_letter(letter("f", "invalid"))
    world.journal.faults.clear()
    return world


def test_what_ended_as_it_must_disappoints_nobody(ended: World) -> None:
    assert told(ended) == []


def test_a_run_with_another_end_is_named(ended: World) -> None:
    story = Story(
        flows=(FlowPlan(name="f", stages=(TASKS,), ends_as="Failed"),),
        scenes=(),
        limits={},
        answers=frozenset(),
        repeats=0,
    )

    assert told(ended, story) == ["the run f ended as Completed, not as Failed"]


def test_a_run_that_was_never_heard_of_is_named(world: World) -> None:
    assert "the run f ended as nothing, not as Completed" in told(world)


def test_an_answer_that_nobody_got_is_named(ended: World) -> None:
    story = Story(
        flows=(),
        scenes=(),
        limits={},
        answers=frozenset({Answer(Verdict.DELAY, "scheduled")}),
        repeats=0,
    )

    assert told(ended, story) == ["nothing was decided as delay (scheduled)"]


def test_too_many_at_a_time_is_told(ended: World) -> None:
    for name in ("f/a", "f/b"):
        ended.exchange(ended.decide(name, Running(), request_id=f"{name} runs again"))

    assert told(ended) == ["2 runs with the tag t ran at the same time, not at most 1"]


def test_a_repeated_decision_that_did_not_come_is_told(world: World) -> None:
    assert "0 decisions came more than once, not 1" in told(world)


def test_a_dead_letter_that_did_not_come_is_told(world: World) -> None:
    assert "the unreadable message did not become a dead letter" in told(world)


def test_faults_of_the_record_are_told(ended: World) -> None:
    ended.journal.faults.append("other bytes")

    assert told(ended) == ["other bytes"]
