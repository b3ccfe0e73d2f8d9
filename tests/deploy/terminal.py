"""The runbook's commands, and a terminal in which they are typed as an operator would."""

import asyncio
import re
import shlex
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from deploy.servers.errors import CommandFailedError
from deploy.servers.ports import LOOPBACK
from tests.deploy.described import DEPLOY, PORT
from tests.docs.commands import blocks
from tests.integration.processes import WAIT_SECONDS, Ended, environment
from tests.integration.world import World
from tests.servers.vhosts import Vhost

RUNBOOK = (DEPLOY / "RUNBOOK.md").read_text(encoding="utf-8")

_VHOST = "pointsman"
_PROGRAMS = {
    "pointsman": "from consumer.commands import main; main()",
    "curl": """
import sys, urllib.error, urllib.request
try:
    answer = urllib.request.urlopen(sys.argv[-1])
except urllib.error.HTTPError as refused:
    answer = refused
with answer:
    sys.stdout.write(answer.read().decode())
""",
}
"""What is typed and not on every machine, or not under this name."""


class Steps(NamedTuple):
    """What is typed in a situation, line by line."""

    see: list[str]
    do: list[str]
    over: list[str]


def first_look() -> str:
    """What is typed before anything is known."""
    [line] = _lines(RUNBOOK.partition("\n## ")[0])
    return line


def situations() -> Mapping[str, Steps]:
    """All of the runbook's, by their headings."""
    sections = [part.partition("\n") for part in RUNBOOK.split("\n## ")[1:]]
    return {heading: _steps(text) for heading, _, text in sections}


def _steps(section: str) -> Steps:
    _, see, do, over = re.split(r"^\*\*(?:See|Do|Over)\b", section, flags=re.MULTILINE)
    return Steps(_lines(see), _lines(do), _lines(over))


def _lines(text: str) -> list[str]:
    return "".join(blocks(text, "sh")).splitlines()


@dataclass(frozen=True)
class Terminal:
    """Where an operator types, in a folder of their own, with a consumer's health at a port."""

    world: World
    vhost: Vhost
    port: int
    folder: Path

    async def types(self, line: str, **words: str) -> Ended:
        """Type a line of the runbook, with these in place of what is in capitals, to its end."""
        for name, word in words.items():
            line = re.sub(rf"\b{name}\b", word, line)
        if line.startswith("rabbitmqctl "):
            return await self._at_the_broker(shlex.split(line)[1:])
        process = await asyncio.create_subprocess_shell(
            line.replace(f"{LOOPBACK}:{PORT}", f"{LOOPBACK}:{self.port}"),
            env=self._environment,
            cwd=self.folder,
            stdout=PIPE,
            stderr=PIPE,
        )
        async with asyncio.timeout(WAIT_SECONDS):
            out, err = await process.communicate()
        return Ended(process.returncode or 0, out.decode(), err.decode())

    async def does(self, line: str, **words: str) -> str:
        """The same, where it has to end well; what it printed."""
        ended = await self.types(line, **words)
        assert ended.code == 0, f"{line}\n{ended.out}{ended.err}"
        return ended.out

    async def until(self, line: str, holds: Callable[[str], bool], **words: str) -> str:
        """Type it again and again, until what it prints is as wanted."""
        async with asyncio.timeout(2 * WAIT_SECONDS):
            while not holds(out := (await self.types(line, **words)).out):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        return out

    async def _at_the_broker(self, arguments: list[str]) -> Ended:
        there = [self.vhost.name if word == _VHOST else word for word in arguments]
        try:
            out = await asyncio.to_thread(self.vhost.server.run_ctl, *there)
        except CommandFailedError as error:
            return Ended(1, "", str(error))
        return Ended(0, out, "")

    @cached_property
    def _environment(self) -> dict[str, str]:
        programs = self.folder / "bin"
        programs.mkdir(exist_ok=True)
        for name, text in _PROGRAMS.items():
            program = programs / name
            program.write_text(f"#!{sys.executable}\n{text}\n")
            program.chmod(0o755)
        settings = environment(**self.world.settings)
        return settings | {"PATH": f"{programs}:{settings['PATH']}"}
