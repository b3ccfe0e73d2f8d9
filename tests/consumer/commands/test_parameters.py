"""What no command takes: usage errors before anything is connected."""

import pytest

from tests.consumer.commands.conftest import InDatabase, Invoke

PROPOSE = ("propose", "task", "new", "RUNNING")
LETTERS = ("dead-letters", "list")
NO_UTF8 = "\udcff"


def usage_error(invoke: Invoke, *arguments: str) -> str:
    result = invoke(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert isinstance(result.exception, SystemExit)
    [line] = result.stderr.splitlines()
    assert ". See '" in line
    return line


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--details", "[1]"),
        ("--details", "{"),
        ("--create", "[]"),
        ("--create", "null"),
        ("--data", "NaN"),
        *(("--scheduled-in", value) for value in ("nan", "1e400", "1e12", "-100000000000", "x")),
        *(("--deadline-in", value) for value in ("nan", "1e13", "-inf")),
        *(("--wait", value) for value in ("nan", "-1", "inf")),
        ("--request-id", ""),
        ("--request-id", "x" * 256),
        ("--request-id", "ö" * 128),
    ],
)
def test_propose_refuses_what_no_request_can_hold(invoke: Invoke, option: str, value: str) -> None:
    assert f"'{option}'" in usage_error(invoke, *PROPOSE, option, value)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--since", value) for value in ("nan", "1e300", "-1", "x")),
        *(("--limit", value) for value in ("0", "2147483648", "9223372036854775808")),
    ],
)
def test_dead_letters_refuse_what_no_query_can_hold(
    invoke: Invoke, option: str, value: str
) -> None:
    assert f"'{option}'" in usage_error(invoke, *LETTERS, option, value)


def test_dead_letters_take_the_ends_of_each_range(invoke: Invoke, in_database: InDatabase) -> None:
    del in_database
    for since in ("0", "876600"):
        result = invoke(*LETTERS, "--since", since, "--limit", "2147483647", "--json")
        assert (result.exit_code, result.stdout) == (0, "[]\n")


@pytest.mark.parametrize(
    "arguments",
    [
        (*LETTERS, "--reason", NO_UTF8),
        (*LETTERS, "--status", NO_UTF8),
        (*PROPOSE, "--message", f"x{NO_UTF8}"),
        (*PROPOSE, "--name", NO_UTF8),
        (*PROPOSE, "--request-id", NO_UTF8),
        (*PROPOSE, "--data", f'"{NO_UTF8}"'),
        ("limits", "set", NO_UTF8, "1"),
        ("runs", "show", NO_UTF8),
        (NO_UTF8,),
    ],
)
def test_no_command_takes_what_is_not_utf8(invoke: Invoke, arguments: tuple[str, ...]) -> None:
    assert "is not valid UTF-8" in usage_error(invoke, *arguments)
