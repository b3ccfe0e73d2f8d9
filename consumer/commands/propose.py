"""``pointsman propose``."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import click
from pydantic_core import to_json

from consumer.broker.address import BrokerAddress
from consumer.client import Client
from consumer.commands.output import print_facts
from consumer.commands.parameters import (
    CENTURY_SECONDS,
    Json,
    JsonObject,
    Number,
    RequestId,
    RunId,
)
from consumer.errors import PointsmanError
from consumer.logs import configure_logs
from consumer.settings import Settings
from consumer.wire.body import OnDelay
from rules.moments import utc_now
from rules.runs import RunKind
from rules.states import StateType

NOTHING = "NONE"
_TIME = Number(-CENTURY_SECONDS, CENTURY_SECONDS)


class NoDecisionError(PointsmanError):
    """The wait ended before the decision that it was for."""


class Waiting(NamedTuple):
    """How long to wait for a decision, in seconds, and whether beyond a delay."""

    seconds: float
    follow: bool

    def goes_on(self, decisions: Sequence[Mapping[str, Any]]) -> bool:
        """Whether these are not yet all that is waited for."""
        if not decisions:
            return True
        return self.follow and decisions[-1]["decision"] == "delay"


@click.command(name="propose")
@click.argument("kind", metavar="KIND", type=click.Choice([kind.value for kind in RunKind]))
@click.argument("run_id", metavar="RUN_ID", type=RunId())
@click.argument(
    "state",
    metavar="STATE",
    type=click.Choice([*(state.value for state in StateType), NOTHING], case_sensitive=False),
)
@click.option("--name", help="The state's name, where it is not its type in words.")
@click.option("--message", help="A note that goes with the state.")
@click.option("--data", type=Json(), help="The state's data, as JSON.")
@click.option("--details", type=JsonObject(), help="More state details, as a JSON object.")
@click.option("--scheduled-in", type=_TIME, metavar="SECONDS", help="When it is scheduled.")
@click.option("--create", type=JsonObject(), help="How to make the run if unknown, a JSON object.")
@click.option("--force", is_flag=True, help="Past the rules; needs a permitted user.")
@click.option("--expected-state-id", type=click.UUID, help="Only if this is the current state.")
@click.option("--on-delay", type=click.Choice([each.value for each in OnDelay]))
@click.option("--deadline-in", type=_TIME, metavar="SECONDS", help="Not to be decided later.")
@click.option("--request-id", type=RequestId(), help="The same one is the same request.")
@click.option(
    "--wait",
    "seconds",
    type=Number(0, CENTURY_SECONDS),
    default=30,
    show_default=True,
    metavar="SECONDS",
)
@click.option("--follow", is_flag=True, help="After a delay, wait for what comes of it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array of decisions.")
def command(**options: Any) -> None:
    """Send one request, wait for the decision, print it.

    KIND is flow or task. RUN_ID is a UUID, or 'new' for a new one. STATE is a state's type, or
    NONE to propose nothing. Exit code 0 where a decision came, whatever it says.

    \b
    pointsman propose task new RUNNING --create '{"name": "extract"}'
    """  # noqa: D301 - click's own mark for a paragraph that is not to be wrapped
    settings = Settings.from_environment()
    configure_logs(settings.log_format, settings.log_level)
    # A delay that is returned is its sender's to propose again: nothing follows by itself.
    follow = options["follow"] and options["on_delay"] != OnDelay.RETURN
    waiting = Waiting(options["seconds"], follow=follow)
    decisions = asyncio.run(
        _propose(settings.broker, _body(options), options["request_id"], waiting)
    )
    if options["as_json"]:
        click.echo(to_json(decisions, indent=2).decode())
    else:
        for decision in decisions:
            _print(decision)
    if waiting.goes_on(decisions):
        raise NoDecisionError(
            f"no further decision within {waiting.seconds:g} s;"
            f" it is due at {decisions[-1]['retry_at']}"
        )


def _body(options: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "run": {"kind": options["kind"], "id": options["run_id"]},
        "state": None,
        "force": options["force"],
    }
    if options["state"] != NOTHING:
        details = dict(options["details"] or {})
        if options["scheduled_in"] is not None:
            details["scheduled_time"] = utc_now() + timedelta(seconds=options["scheduled_in"])
        body["state"] = {
            "type": options["state"],
            "name": options["name"],
            "message": options["message"],
            "data": options["data"],
            "state_details": details,
        }
    if options["deadline_in"] is not None:
        body["deadline"] = utc_now() + timedelta(seconds=options["deadline_in"])
    for key in ("create", "expected_state_id", "on_delay"):
        if options[key] is not None:
            body[key] = options[key]
    return body


async def _propose(
    broker: BrokerAddress, body: dict[str, Any], request_id: str | None, waiting: Waiting
) -> list[dict[str, Any]]:
    decisions: list[dict[str, Any]] = []
    async with Client.connected(broker, "pointsman propose") as client:
        # The broker checks the name against the connection's; only a forced request needs it.
        user_id = broker.target.user if body["force"] else None
        request_id = await client.send(body, request_id=request_id, user_id=user_id)
        try:
            async with asyncio.timeout(waiting.seconds):
                while waiting.goes_on(decisions):
                    decisions.append(await client.decision())
        except TimeoutError:
            if not decisions:
                raise NoDecisionError(
                    f"no decision within {waiting.seconds:g} s on request {request_id};"
                    " is 'pointsman consume' running? The request stays in its queue"
                ) from None
        except asyncio.CancelledError:  # Ctrl-C
            click.echo(f"not waited for: request {request_id} stays in its queue", err=True)
            raise
    return decisions


def _print(decision: dict[str, Any]) -> None:
    state, run, attempt = decision["state"], decision["run"], decision["attempt"]
    facts = {
        "reason": decision["reason"],
        "retry at": decision["retry_at"],
        "written": f"{state['type']} ({state['name']})" if state else None,
        "run": f"{run['kind']} {run['id']}, version {run['version']}" if run else None,
        "state": f"{run['state_type']} ({run['state_name']})" if run and run["state_id"] else None,
        "rule": decision["rule"],
        "rules": ", ".join(decision["rules"]) or None,
        "request": decision["request_id"]
        if attempt is None
        else f"{decision['request_id']}, attempt {attempt}",
    }
    code = f" ({decision['code']})" if decision["code"] else ""
    print_facts(f"{decision['decision']}{code}", facts)
