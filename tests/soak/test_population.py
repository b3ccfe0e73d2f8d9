import random
from collections import Counter

from consumer.broker.messages import Outgoing
from rules.identifiers import uuid7
from tests.soak.population import Population, Turn
from tests.soak.stories import plain_task

ACCEPTED = {"decision": "accept", "delay_seconds": None, "run": {"state_id": None}}


def turns(population: Population, most: int, now: float, *, newcomers: bool = False) -> list[Turn]:
    due = population.due(most, now, newcomers=newcomers)
    return [turn for turn in due if isinstance(turn, Turn)]


def test_newcomers_fill_up_what_waits_for_nobody() -> None:
    population = Population(1, most=1_000)
    assert len(turns(population, 10, 0, newcomers=True)) == 10
    assert population.alive == 10


def test_without_newcomers_nothing_begins() -> None:
    population = Population(1, most=1_000)
    assert not population.due(10, 0, newcomers=False)
    assert population.is_idle


def test_a_story_goes_on_after_its_decision_and_not_before() -> None:
    population = Population(1, most=1_000)
    first = population.begin(plain_task(random.Random(1), uuid7()))  # noqa: S311 - no secret
    assert not turns(population, 1, 1_000)
    population.go_on(first, ACCEPTED, 1)
    [second] = turns(population, 1, 1_000)
    assert second.story is first.story
    assert second.step.key != first.step.key


def test_a_decision_that_was_not_due_ends_its_story() -> None:
    population = Population(1, most=1_000)
    [turn] = turns(population, 1, 0, newcomers=True)
    population.go_on(turn, {"decision": "reject"}, 0)
    assert population.alive == 0


def test_all_stories_come_to_their_ends() -> None:
    population = Population(2, most=1_000)
    now, told = 0.0, Counter[str]()
    waiting = turns(population, 200, now, newcomers=True)
    while not population.is_idle:
        for turn in waiting:
            verdict = min(turn.step.expected)  # of two that may come, the delay is told as well
            told[verdict] += 1
            later = 1 if verdict == "delay" else None
            population.go_on(turn, ACCEPTED | {"decision": verdict, "delay_seconds": later}, now)
        now += 10
        waiting = turns(population, 10_000, now)
    assert told["accept"] > told["abort"] > told["reject"] > 0


def test_in_a_crowd_newcomers_have_but_one_request() -> None:
    population = Population(5, most=20)
    crowd = turns(population, 20, 0, newcomers=True)
    newcomers = turns(population, 50, 0, newcomers=True)
    for turn in newcomers:
        verdict = min(turn.step.expected)
        population.go_on(turn, ACCEPTED | {"decision": verdict}, 0)
    assert population.alive == len(crowd)


def test_some_messages_are_sent_again_as_they_were() -> None:
    population = Population(3, most=1_000)
    first = {turn.step.key: turn.step.message for turn in turns(population, 500, 0, newcomers=True)}
    again = [due for due in population.due(500, 60, newcomers=False) if isinstance(due, Outgoing)]
    assert again
    assert all(first[message.properties.correlation_id or ""] is message for message in again)


def test_the_seed_settles_who_comes() -> None:
    def habits(seed: int) -> list[tuple[str, str | None]]:
        begun = turns(Population(seed, most=1_000), 200, 0, newcomers=True)
        messages = [turn.step.message for turn in begun]
        return [(message.body.decode()[:5], message.properties.reply_to) for message in messages]

    assert habits(4) == habits(4) != habits(5)
