import gc
import signal

import click
import pytest
from click.testing import CliRunner

from consumer.commands import db
from consumer.commands.group import cli
from consumer.commands.interrupts import end_at_once, put_back
from tests.consumer.commands.conftest import Invoke


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing"], "No such command 'nothing'. See 'pointsman --help'."),
        (["limits", "list", "--nothing"], "'--nothing'. See 'pointsman limits list --help'."),
        (["limits", "list", "--jso"], "'--json'? See 'pointsman limits list --help'."),
        (["runs", "show"], "Missing argument 'ID'. See 'pointsman runs show --help'."),
    ],
)
def test_a_usage_error_is_one_line_that_says_where_help_is(arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(cli, arguments, prog_name="pointsman")
    assert result.exit_code == 2
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.endswith(told)


def test_garbage_is_collected_again_when_the_command_is_imported() -> None:
    gc.disable()
    try:
        CliRunner().invoke(cli, ["limits", "list", "--help"], prog_name="pointsman")
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        gc.enable()


def test_a_group_alone_shows_its_help(invoke: Invoke) -> None:
    result = invoke("limits")
    assert result.exit_code == 2
    assert "Commands:" in result.stderr


def test_every_command_tells_its_help(invoke: Invoke) -> None:
    for name in cli.list_commands(
        cli.make_context("pointsman", ["--nothing"], resilient_parsing=True)
    ):
        result = invoke(name, "--help")
        assert (result.exit_code, result.stdout.split()[0]) == (0, "Usage:")


def test_ctrl_c_ends_a_command_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGINT)

    @click.command()
    def interrupted() -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(db, "command", interrupted)
    with put_back():
        end_at_once()
        while_importing = signal.getsignal(signal.SIGINT)
        result = CliRunner().invoke(cli, ["db"], prog_name="pointsman")
        assert signal.getsignal(signal.SIGINT) is while_importing
    assert (result.exit_code, result.output) == (130, "")
    assert signal.getsignal(signal.SIGINT) is before


def test_a_variable_that_is_no_setting_is_told_before_any_command(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINTSMAN_DATABSE_URL", "sqlite+aiosqlite:////secret/place")
    result = invoke("topology", "show", "--json")
    assert result.exit_code == 0
    assert result.stderr == (
        "Warning: POINTSMAN_DATABSE_URL is not a setting, and has no effect;"
        " did you mean POINTSMAN_DATABASE_URL?\n"
    )
