from consumer.wire.decisions import Verdict
from rules.states import Running
from tests.consumer.explaining.records import decided, limit_of, run_in, story


def test_a_limit_is_full_for_those_who_hold_none_of_its_slots() -> None:
    run, other = run_in(None), run_in(Running())
    limits = (limit_of("held", 1, run), limit_of("full", 1, other), limit_of("free", 2, other))
    told = story(run, limits=limits)
    assert [limit.tag for limit in told.held_limits()] == ["held"]
    assert [limit.tag for limit in told.full_limits()] == ["full"]


def test_a_state_that_no_request_on_the_run_has_written_came_with_another() -> None:
    run = run_in(Running())
    assert not story(run).is_state_its_own()
    assert story(run, decided(run, Verdict.ACCEPT, state=run.state)).is_state_its_own()
    assert story(run_in(None)).is_state_its_own()
