"""What can't be governed is aborted, kept as a dead letter, and listed."""

from tests.integration.letters import letters_listed
from tests.integration.processes import consuming
from tests.integration.world import World, content, proposal, watching


async def test_malformed_messages_are_aborted_and_listed_with_their_reason(world: World) -> None:
    async with consuming(**world.settings), watching(world.amqp_url) as watcher:
        await watcher.send(b"not json", "bad-1")
        await watcher.send(proposal("ASLEEP"), "bad-2")
        await watcher.send(proposal("RUNNING", create={}), "good")
        decisions = {each["request_id"]: each for each in await watcher.decisions(3)}
        assert decisions["good"]["decision"] == "accept"
        for request_id in ("bad-1", "bad-2"):
            decision = decisions[request_id]
            assert (decision["decision"], decision["code"]) == ("abort", "invalid")
            assert decision["run"] is None
        announced = await watcher.heard(3)
        keys = {content(each)["request_id"]: each.routing_key for each in announced}
        assert keys["bad-1"] == keys["bad-2"] == "none.abort.none.none"

        letters = await letters_listed(world, 2)
    assert {letter["request_id"] for letter in letters} == {"bad-1", "bad-2"}
    assert {letter["reason"] for letter in letters} == {"invalid"}
    assert {letter["status"] for letter in letters} == {"open"}


async def test_a_malformed_message_sent_twice_is_one_letter_and_answered_twice(
    world: World,
) -> None:
    async with consuming(**world.settings), watching(world.amqp_url) as watcher:
        await watcher.send(b"not json", "bad")
        await watcher.send(b"not json", "bad")
        first, second = await watcher.replied(2)
        assert first.body == second.body
        await watcher.send(b"not json either", "other")
        await watcher.replied(1)
        letters = await letters_listed(world, 2)
    assert sorted(letter["request_id"] for letter in letters) == ["bad", "other"]


async def test_a_message_without_an_id_is_announced_and_kept(world: World) -> None:
    async with consuming(**world.settings), watching(world.amqp_url) as watcher:
        await watcher.send_all([watcher.request(proposal("RUNNING"), "", message_id=None)])
        [reply] = await watcher.decisions(1)
        assert (reply["request_id"], reply["code"]) == (None, "invalid")
        [letter] = await letters_listed(world, 1)
    assert letter["request_id"] is None
    assert "message_id" in letter["error"]


async def test_forged_headers_end_no_consumer(world: World) -> None:
    async with watching(world.amqp_url) as watcher:
        forged_id = {"pointsman-request-id": "x", "pointsman-attempt": 7}
        forged_death = {"pointsman-dead-attempts": 2**40, "pointsman-dead-id": "another's"}
        await watcher.send(b"not json", "evil-1", headers=forged_id)
        # It expires before anyone takes it: the broker itself puts it among the dead letters.
        await watcher.send(b"{}", "evil-2", headers=forged_death, expiration="1")
        await watcher.send(proposal("RUNNING", create={}), "good")
        async with consuming(**world.settings) as consumer:
            decisions = {each["request_id"]: each for each in await watcher.decisions(3)}
            letters = await letters_listed(world, 2)
            assert consumer.process.returncode is None
    assert decisions["evil-1"]["code"] == "invalid"
    assert (decisions["evil-2"]["decision"], decisions["evil-2"]["code"]) == ("abort", "failed")
    assert decisions["good"]["decision"] == "accept"
    assert {letter["request_id"]: letter["reason"] for letter in letters} == {
        "evil-1": "invalid",
        "evil-2": "undelivered",
    }
