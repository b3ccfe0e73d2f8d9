"""The image is made for this program, as it is."""

import asyncio
import json
import os
import sys
import tomllib
from fnmatch import fnmatch

import pytest

from consumer.health.http import Page
from consumer.health.server import serving
from deploy.servers.ports import LOOPBACK, free_ports
from tests.deploy.described import DEPLOY, PORT, SETTINGS, environment, instructions, is_command
from tests.docs.pages import ROOT

TEXT = (DEPLOY / "Dockerfile").read_text()
BUILD, FINAL = ([*instructions(f"FROM{stage}")] for stage in TEXT.split("\nFROM")[1:])


def of(stage: list[tuple[str, str]], name: str) -> list[str]:
    """What follows each such instruction."""
    return [rest for word, rest in stage if word == name]


def test_it_is_a_consumer_and_any_other_command_without_a_shell_in_between() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    [[entry]] = map(json.loads, of(FINAL, "ENTRYPOINT"))
    [command] = map(json.loads, of(FINAL, "CMD"))
    assert entry in scripts
    assert is_command(command)


def test_it_sets_settings_that_there_are_and_serves_health_to_others() -> None:
    [variables] = map(environment, of(FINAL, "ENV"))
    ours = {name: value for name, value in variables.items() if name.startswith("POINTSMAN")}
    assert ours.keys() <= SETTINGS
    assert ours["POINTSMAN_HTTP_HOST"] == "0.0.0.0"  # noqa: S104  in a container it must be
    assert [ours["POINTSMAN_HTTP_PORT"]] == of(FINAL, "EXPOSE") == [str(PORT)]


def test_it_does_not_run_as_root() -> None:
    assert of(FINAL, "USER") == ["10001:10001"]


def test_it_is_stopped_by_the_signal_that_the_consumer_finishes_by() -> None:
    assert of(FINAL, "STOPSIGNAL") == ["SIGTERM"]


def test_what_is_copied_is_there_and_let_through_and_nothing_else_is() -> None:
    sources = {word for rest in of(BUILD, "COPY") for word in rest.split()[:-1]}
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert {line[1:] for line in lines if line.startswith("!")} == sources
    assert "*" in lines
    assert all((ROOT / source).exists() for source in sources)


def test_all_that_is_installed_is_pinned_with_hashes_but_the_program_itself() -> None:
    installs = [part for rest in of(BUILD, "RUN") for part in rest.split("&&") if "pip " in part]
    for install in installs:
        if "install " in install and "uninstall " not in install:
            # Without --no-deps, pip before 23.3 looks for newer versions of what is asked for with
            # extras, and finds them without a hash.
            assert "--no-deps " in install
            assert "--require-hashes" in install or fnmatch(install, "* /wheels/*")


@pytest.mark.parametrize(("path", "code"), [("/livez", 0), ("/elsewhere", 1)])
async def test_its_check_asks_whether_the_consumer_lives(path: str, code: int) -> None:
    pages = {path: lambda: Page(body=b"alive\n")}
    async with serving(LOOPBACK, 0, pages) as port:
        assert await checked(port) == code


async def test_its_check_fails_where_nobody_answers() -> None:
    assert await checked(*free_ports(1)) == 1


async def checked(port: int) -> int:
    """The exit code of the image's health check, for a consumer at this port."""
    [check] = of(FINAL, "HEALTHCHECK")
    program, *arguments = json.loads(check.partition("CMD ")[2])
    assert program == "python3"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env={**os.environ, "POINTSMAN_HTTP_PORT": str(port)},
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()
