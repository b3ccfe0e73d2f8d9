"""Performs a story: all flows and scenes at once, in the order that the story asks for."""

import asyncio
from collections.abc import Mapping

from consumer.demo.desk import Desk
from consumer.demo.plans import FlowPlan, Story
from consumer.demo.players import ScenePlayer
from consumer.demo.roster import Roster
from consumer.demo.workers import FlowWorker


async def perform(story: Story, roster: Roster, workers: Desk, producers: Desk) -> None:
    """Perform the story to its end.

    Raises:
        DemoError: something went otherwise than the story says.
    """
    ended = {plan.name: asyncio.Event() for plan in story.flows}
    flows = (_run(FlowWorker(workers, roster, plan), plan, ended) for plan in story.flows)
    scenes = (ScenePlayer(producers, roster, scene).play() for scene in story.scenes)
    await asyncio.gather(*flows, *scenes)


async def _run(worker: FlowWorker, plan: FlowPlan, ended: Mapping[str, asyncio.Event]) -> None:
    for name in plan.after:
        await ended[name].wait()
    await asyncio.sleep(plan.seconds)
    await worker.run()
    ended[plan.name].set()
