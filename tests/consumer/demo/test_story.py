from collections import Counter

from consumer.demo.plans import Story
from consumer.demo.story import tell
from consumer.wire.decisions import Verdict


def test_every_run_has_a_name_of_its_own() -> None:
    names = Counter(name for name, _ in tell("1").ends())

    assert [name for name, times in names.items() if times > 1] == []


def test_it_is_a_small_world() -> None:
    assert 25 <= len(list(tell("1").ends())) <= 60


def test_all_four_decisions_must_be_seen() -> None:
    assert {answer.verdict for answer in tell("1").answers} == set(Verdict)


def test_a_flow_begins_after_others_of_the_story() -> None:
    story = tell("1")
    named = {name for flow in story.flows for name in flow.after}

    assert named <= {flow.name for flow in story.flows}


def test_two_showings_share_no_tags_and_no_cache_keys() -> None:
    one, other = tell("1"), tell("2")

    assert one.limits.keys().isdisjoint(other.limits)
    assert cache_keys(one).isdisjoint(cache_keys(other))


def test_each_limit_is_of_a_tag_that_some_run_has() -> None:
    story = tell("1")
    planned = {tag for _, plan in story.tasks() for tag in plan.tags}
    created = {
        tag
        for scene in story.scenes
        for actor in scene.actors
        if actor.create is not None and isinstance(tags := actor.create.get("tags"), list)
        for tag in tags
    }

    assert story.limits.keys() == planned | created


def cache_keys(story: Story) -> set[str]:
    return {plan.cache_key for _, plan in story.tasks() if plan.cache_key is not None}
