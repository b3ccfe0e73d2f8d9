"""``pointsman check``."""

import asyncio
import os
from collections.abc import Sequence

import click
from rich.text import Text

from consumer.checking.environment import settings_in_effect
from consumer.checking.findings import Finding
from consumer.checking.looking import look
from consumer.commands.output import Row, json_option, print_rows
from consumer.errors import PointsmanError
from consumer.logs import configure_logs
from consumer.settings import PREFIX, Settings

_OK = Text("ok", "green")
_FAILED = Text("FAILED", "bold red")
_UNKNOWN = Text("unknown", "yellow")


@click.command(name="check")
@json_option
def command(*, as_json: bool) -> None:
    """Look at everything once: settings, policies, broker, queues, database, dead letters.

    Nothing is made or changed. What is away is told, and the rest shown. Exit code 0 where nothing
    has failed; what can't be known is no failure.

    With --json one array of rows: name, ok (true, false, or null where it can't be known) and
    details, an object with what was found. Passwords are masked.
    """
    settings = Settings.from_environment()
    configure_logs(settings.log_format, settings.log_level)
    findings = asyncio.run(look(settings, os.environ))
    if as_json:
        rows: list[Row] = [
            {"name": each.name, "ok": each.ok, "details": each.details} for each in findings
        ]
        print_rows(rows, (), as_json=True)
    else:
        _print(findings, settings)
    bad = [each.name for each in findings if each.ok is False]
    if bad:
        raise PointsmanError(f"not as it should be: {', '.join(bad)}")


def _print(findings: Sequence[Finding], settings: Settings) -> None:
    print_rows(
        [{"what": each.name, "found": _found(each), "details": each.lines} for each in findings],
        ("what", "found", "details"),
        as_json=False,
    )
    click.echo()
    given = {f"{PREFIX}{name.upper()}" for name in settings.model_fields_set}
    print_rows(
        [
            {
                "setting": name,
                "value": ",".join(value) or None if isinstance(value, list) else value,
                "from": "set" if name in given else "default",
            }
            for name, value in settings_in_effect(settings).items()
        ],
        ("setting", "value", "from"),
        as_json=False,
    )


def _found(finding: Finding) -> Text:
    if finding.ok is None:
        return _UNKNOWN
    return _OK if finding.ok else _FAILED
