"""``pointsman propose``."""

import asyncio
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import click
from pydantic_core import from_json, to_json
from yarl import URL

from consumer.client import Client
from consumer.commands.output import print_facts
from consumer.errors import PointsmanError
from consumer.logs import configure_logs
from consumer.settings import Settings
from consumer.wire.body import OnDelay
from rules.identifiers import uuid7
from rules.moments import utc_now
from rules.runs import RunKind
from rules.states import StateType

NOTHING = "NONE"
NEW = "new"


class _Json(click.ParamType[Any]):
    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The JSON value in the text."""
        try:
            return from_json(value)
        except ValueError as error:
            self.fail(f"{value!r} is not JSON: {error}", param, ctx)


class _RunId(click.ParamType[UUID]):
    name = "run id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> UUID:
        """The UUID in the text, a new one for ``new``."""
        if value == NEW:
            return uuid7()
        try:
            return UUID(str(value))
        except ValueError:
            self.fail(f"{value!r} is neither a UUID nor '{NEW}'", param, ctx)


class Waiting(NamedTuple):
    """How long to wait for a decision, in seconds, and whether beyond a delay."""

    seconds: float
    follow: bool


@click.command(name="propose")
@click.argument("kind", metavar="KIND", type=click.Choice([kind.value for kind in RunKind]))
@click.argument("run_id", metavar="RUN_ID", type=_RunId())
@click.argument(
    "state",
    metavar="STATE",
    type=click.Choice([*(state.value for state in StateType), NOTHING], case_sensitive=False),
)
@click.option("--name", help="The state's name, where it is not its type in words.")
@click.option("--message", help="A note that goes with the state.")
@click.option("--data", type=_Json(), help="The state's data, as JSON.")
@click.option("--details", type=_Json(), help="More state details, as a JSON object.")
@click.option("--scheduled-in", type=float, metavar="SECONDS", help="When it is scheduled.")
@click.option("--create", type=_Json(), help="How to make the run if unknown, a JSON object.")
@click.option("--force", is_flag=True, help="Past the rules; needs a permitted user.")
@click.option("--expected-state-id", type=click.UUID, help="Only if this is the current state.")
@click.option("--on-delay", type=click.Choice([each.value for each in OnDelay]))
@click.option("--deadline-in", type=float, metavar="SECONDS", help="Not to be decided later.")
@click.option("--request-id", help="The message_id; the same one is the same request.")
@click.option("--wait", "seconds", type=float, default=30, show_default=True, metavar="SECONDS")
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
    waiting = Waiting(options["seconds"], follow=options["follow"])
    url = settings.amqp_url.get_secret_value()
    decisions = asyncio.run(_propose(url, _body(options), options["request_id"], waiting))
    if options["as_json"]:
        click.echo(to_json(decisions, indent=2).decode())
        return
    for decision in decisions:
        _print(decision)


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
    url: str, body: dict[str, Any], request_id: str | None, waiting: Waiting
) -> list[dict[str, Any]]:
    decisions: list[dict[str, Any]] = []
    async with Client.connected(url, "pointsman propose") as client:
        # The broker checks the name against the connection's; only a forced request needs it.
        user_id = URL(url).user if body["force"] else None
        request_id = await client.send(body, request_id=request_id, user_id=user_id)
        try:
            async with asyncio.timeout(waiting.seconds):
                while not decisions or (waiting.follow and _goes_on(decisions[-1])):
                    decisions.append(await client.decision())
        except TimeoutError:
            if not decisions:
                raise PointsmanError(
                    f"no decision within {waiting.seconds:g} s on request {request_id};"
                    " is 'pointsman consume' running? The request stays in its queue"
                ) from None
    return decisions


def _goes_on(decision: dict[str, Any]) -> bool:
    return bool(decision["decision"] == "delay")


def _print(decision: dict[str, Any]) -> None:
    state, run = decision["state"], decision["run"]
    facts = {
        "reason": decision["reason"],
        "retry at": decision["retry_at"],
        "written": f"{state['type']} ({state['name']})" if state else None,
        "run": f"{run['kind']} {run['id']}, version {run['version']}" if run else None,
        "state": f"{run['state_type']} ({run['state_name']})" if run and run["state_id"] else None,
        "rule": decision["rule"],
        "rules": ", ".join(decision["rules"]) or None,
        "request": f"{decision['request_id']}, attempt {decision['attempt']}",
    }
    code = f" ({decision['code']})" if decision["code"] else ""
    print_facts(f"{decision['decision']}{code}", facts)
