import asyncio
from dataclasses import replace

from consumer.demo.journal import EntryKind
from consumer.wire.decisions import Verdict
from rules.states import Completed, Pending, Running
from tests.consumer.demo.world import World, announcement, letter


def test_a_decision_is_told_of_the_run_that_it_is_about(world: World) -> None:
    world.journal.send("r", "extract", "RUNNING")
    world.now = 2.5
    decision = world.decide("extract", Running())
    world.hear(decision)

    [entry] = world.journal.entries
    assert (entry.at, entry.kind, entry.run, entry.sent.proposed) == (
        2.5,
        EntryKind.NEW,
        "extract",
        "RUNNING",
    )
    assert entry.decision == decision
    assert world.shown == [entry]


def test_decisions_on_others_requests_are_left_alone(world: World) -> None:
    world.hear(world.decide("extract", Running()))

    assert world.journal.entries == []


def test_the_same_message_once_more_is_no_new_decision(world: World) -> None:
    decision = world.decide("extract", Running())
    world.exchange(decision)
    world.hear(decision)

    assert [entry.kind for entry in world.journal.entries] == [EntryKind.NEW, EntryKind.AGAIN]
    assert world.journal.faults == []


def test_the_same_message_with_other_bytes_is_a_fault(world: World) -> None:
    decision = world.decide("extract", Running())
    world.exchange(decision)
    world.journal.receive(replace(announcement(decision), body=decision.to_bytes() + b" "))

    [fault] = world.journal.faults
    assert "other bytes" in fault


def test_a_run_that_is_moved_along_has_an_entry_of_its_own(world: World) -> None:
    parent = world.roster.id_of("report/charts")
    also = world.run("report/charts", Running())
    decision = world.decide("charts", Running(), also_changed=[also])
    world.exchange(decision)
    world.hear(decision, about=parent)

    assert [(entry.kind, entry.run) for entry in world.journal.entries] == [
        (EntryKind.NEW, "charts"),
        (EntryKind.ALONG, "report/charts"),
    ]


def test_a_decision_without_a_run_goes_by_its_request(world: World) -> None:
    world.journal.send("r", "ghost", "-")
    world.hear(world.decide("", run=None, verdict=Verdict.ABORT, code="invalid"))

    assert [entry.run for entry in world.journal.entries] == ["ghost"]


def test_a_reply_that_goes_to_nobody_else_is_an_entry_of_the_latest_request(world: World) -> None:
    world.exchange(world.decide("invoice", Pending()), proposed="PENDING")
    world.journal.send("r", "invoice", "RUNNING")
    world.journal.reply(
        world.decide("invoice", run=None, attempt=None, verdict=Verdict.ABORT, code="id-reused")
    )

    assert [entry.sent.proposed for entry in world.journal.entries] == ["PENDING", "RUNNING"]


async def test_settling_waits_for_the_announcement_of_what_came_as_a_reply(world: World) -> None:
    decision = world.decide("extract", Completed())
    world.journal.send("r", "extract", "COMPLETED")
    world.journal.reply(decision)

    settled = asyncio.create_task(world.journal.settle())
    await asyncio.wait({settled}, timeout=0)
    assert not settled.done()

    world.hear(decision)
    await settled


def test_only_the_showings_own_dead_letters_are_noted(world: World) -> None:
    world.journal.send("r", "ghost", "-")
    world.journal.receive_letter(letter("r", "invalid"))
    world.journal.receive_letter(letter("another", "failed"))

    assert world.journal.letters == ["invalid"]
