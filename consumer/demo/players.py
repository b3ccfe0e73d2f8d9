"""Plays a scene: each step is sent as it stands, and answered as it must be."""

import asyncio
from datetime import timedelta
from typing import Any

from consumer.demo.desk import Desk
from consumer.demo.errors import DemoError
from consumer.demo.plans import Actor, Answer, Scene, Step
from consumer.demo.proposals import proposal, proposed_state
from consumer.demo.roster import Roster
from rules.identifiers import uuid7
from rules.moments import utc_now
from rules.runs import RunKind


class ScenePlayer:
    """Plays one scene."""

    def __init__(self, desk: Desk, roster: Roster, scene: Scene) -> None:
        self._desk = desk
        self._roster = roster
        self._scene = scene
        self._actors = {actor.name: actor for actor in scene.actors}
        self._request_ids: dict[str, str] = {}

    async def play(self) -> None:
        """Play it from beginning to end.

        Raises:
            DemoError: something else was decided than the scene says.
        """
        await asyncio.sleep(self._scene.seconds)
        for step in self._scene.steps:
            await asyncio.sleep(step.after)
            await self._play(step)

    async def _play(self, step: Step) -> None:
        request_id = None
        if step.label is not None:
            request_id = self._request_ids.setdefault(step.label, str(uuid7()))
        decisions = await self._desk.ask(step.actor, self._body(step), request_id)
        answers = tuple(Answer(each.decision, each.code) for each in decisions)
        if answers != step.answers:
            raise DemoError(
                f"{step.actor} proposed {step.proposes or 'nothing'} and was to get"
                f" {_told(step.answers)}, but got {_told(answers)}"
            )

    def _body(self, step: Step) -> dict[str, Any]:
        if step.instead is not None:
            return dict(step.instead)
        actor = self._actors[step.actor]
        state = None
        if step.proposes is not None:
            details = (
                {"scheduled_time": utc_now() + timedelta(seconds=step.scheduled_in)}
                if step.scheduled_in is not None
                else None
            )
            state = proposed_state(
                step.proposes, name=step.named, message=step.message, details=details
            )
        deadline = (
            utc_now() + timedelta(seconds=step.deadline_in)
            if step.deadline_in is not None
            else None
        )
        return proposal(
            actor.kind,
            self._roster.id_of(actor.name),
            state,
            create=self._create(actor),
            deadline=deadline,
            **(step.more or {}),
        )

    def _create(self, actor: Actor) -> dict[str, Any] | None:
        if actor.create is None:
            return None
        create: dict[str, Any] = {"name": actor.name, **actor.create}
        if actor.kind is RunKind.TASK and actor.flow is not None:
            create["flow_run_id"] = self._roster.id_of(actor.flow)
        return create


def _told(answers: tuple[Answer, ...]) -> str:
    return " then ".join(str(answer) for answer in answers)
