from collections.abc import Mapping
from typing import Any

import pytest

from consumer.demo.errors import DemoError
from consumer.demo.plans import ACCEPT, Actor, Answer, Scene, Step
from consumer.demo.players import ScenePlayer
from consumer.wire.decisions import Decision, Verdict
from rules.states import StateType
from tests.consumer.demo.clients import ScriptedClient, open_desk
from tests.consumer.demo.world import World

WAIT = Answer(Verdict.DELAY, "scheduled")


def scene(*steps: Step) -> Scene:
    flow = Actor(name="import", create={})
    task = Actor(name="import/load", flow="import", create={"tags": ["db"]})
    return Scene(name="a scene", seconds=0, actors=(flow, task), steps=steps)


class Stage:
    """Answers every request with the same decisions."""

    def __init__(self, world: World, *answers: Answer) -> None:
        self._world = world
        self._answers = answers
        self.client = ScriptedClient(self._answer)

    async def play(self, played: Scene) -> None:
        async with open_desk(self.client, self._world.journal) as desk:
            await ScenePlayer(desk, self._world.roster, played).play()

    def _answer(self, _body: Mapping[str, Any], request_id: str) -> list[Decision]:
        return [
            self._world.decide(
                "import/load",
                request_id=request_id,
                attempt=attempt,
                verdict=answer.verdict,
                code=answer.code,
            )
            for attempt, answer in enumerate(self._answers)
        ]


async def test_a_step_is_sent_with_how_to_make_its_run(world: World) -> None:
    stage = Stage(world, ACCEPT)
    await stage.play(scene(Step(actor="import/load", proposes=StateType.PENDING)))

    [(_, body)] = stage.client.sent
    assert body["run"]["id"] == world.roster.id_of("import/load")
    assert body["state"]["type"] is StateType.PENDING
    assert body["create"] == {
        "name": "import/load",
        "tags": ["db"],
        "flow_run_id": world.roster.id_of("import"),
    }


async def test_a_delayed_request_is_waited_for(world: World) -> None:
    step = Step(actor="import", proposes=StateType.RUNNING, answers=(WAIT, ACCEPT))

    await Stage(world, WAIT, ACCEPT).play(scene(step))


async def test_a_delay_that_is_to_be_returned_is_the_last_word(world: World) -> None:
    step = Step(
        actor="import",
        proposes=StateType.RUNNING,
        answers=(WAIT,),
        more={"on_delay": "return"},
    )

    await Stage(world, WAIT).play(scene(step))


async def test_steps_with_one_label_are_one_request(world: World) -> None:
    stage = Stage(world, ACCEPT)
    step = Step(actor="import", proposes=StateType.PENDING, label="click")
    await stage.play(scene(step, step))

    [first, second] = stage.client.sent
    assert first == second


async def test_another_answer_ends_the_scene(world: World) -> None:
    step = Step(actor="import", proposes=StateType.RUNNING)

    with pytest.raises(
        DemoError, match="import proposed RUNNING and was to get accept, but got abort"
    ):
        await Stage(world, Answer(Verdict.ABORT, "terminal")).play(scene(step, step))
