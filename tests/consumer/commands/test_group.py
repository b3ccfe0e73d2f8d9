import pytest
from click.testing import CliRunner

from consumer.commands.group import cli
from tests.consumer.commands.conftest import Invoke


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing"], "No such command 'nothing'. See 'pointsman --help'."),
        (["limits", "list", "--nothing"], "See 'pointsman limits list --help'."),
        (["runs", "show"], "Missing argument 'ID'. See 'pointsman runs show --help'."),
    ],
)
def test_a_usage_error_is_one_line_that_says_where_help_is(arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(cli, arguments, prog_name="pointsman")
    assert result.exit_code == 2
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.endswith(told)


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
