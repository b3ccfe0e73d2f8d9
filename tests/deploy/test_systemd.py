"""The units say what the code says."""

from pathlib import Path

import pytest

from tests.deploy.described import DEPLOY, SETTINGS, SHUTDOWN_SECONDS, assignments, is_command

FOLDER = DEPLOY / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))
COMMON = FOLDER / "pointsman-.service.d" / "10-common.conf"


def directives(file: Path) -> list[tuple[str, str, str]]:
    """Each section, name and value in a file, also where a name comes twice."""
    read: list[tuple[str, str, str]] = []
    section = ""
    for line in file.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            read.append((section, name, value))
    return read


def values(file: Path, name: str) -> list[str]:
    """What is set by that name."""
    return [value for _, each, value in directives(file) if each == name]


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_each_runs_a_command_that_there_is_and_all_that_is_common_is_for_it(unit: Path) -> None:
    [command] = values(unit, "ExecStart")
    program, *words = command.split()
    assert program == "/opt/pointsman/bin/pointsman"
    assert is_command(words)
    assert unit.name.startswith(COMMON.parent.name.removesuffix(".service.d"))


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_each_secret_is_a_setting_and_from_the_folder_of_the_user_whose_it_is(unit: Path) -> None:
    user = "migrations" if "migrate" in unit.name else "consumer"
    for credential in values(unit, "LoadCredential"):
        name, _, file = credential.partition(":")
        assert name.upper() in SETTINGS
        assert file == f"/etc/pointsman/{user}/{name}"


def test_only_settings_that_there_are_are_set() -> None:
    given = {
        word.partition("=")[0] for each in values(COMMON, "Environment") for word in each.split()
    }
    example = assignments(FOLDER / "pointsman.env.example")
    assert given - {"PYTHONDONTWRITEBYTECODE"} | example.keys() <= SETTINGS
    assert "POINTSMAN_SECRETS_DIR=%d" in values(COMMON, "Environment")
    assert float(example["POINTSMAN_SHUTDOWN_SECONDS"]) == SHUTDOWN_SECONDS


def test_the_consumer_is_given_the_time_to_finish_and_started_again() -> None:
    consumer = FOLDER / "pointsman-consumer.service"
    [seconds] = values(consumer, "TimeoutStopSec")
    assert int(seconds) > SHUTDOWN_SECONDS
    assert values(consumer, "Restart") == ["always"]
