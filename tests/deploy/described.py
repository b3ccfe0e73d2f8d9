"""What the files in ``deploy/`` describe, as values, and what the code knows of it."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

from consumer.commands.group import cli
from consumer.settings import PREFIX, Settings
from tests.docs.pages import ROOT

DEPLOY = ROOT / "deploy"
SETTINGS = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
PORT = Settings.model_fields["http_port"].default
SHUTDOWN_SECONDS = Settings.model_fields["shutdown_seconds"].default


def documents(*path: str) -> list[dict[str, Any]]:
    """The documents in a YAML file."""
    return [*yaml.safe_load_all(DEPLOY.joinpath(*path).read_text(encoding="utf-8"))]


def document(*path: str) -> dict[str, Any]:
    """The one that there is."""
    [found] = documents(*path)
    return found


def assignments(path: Path) -> dict[str, str]:
    """The variables that a file for an environment sets."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"\w+=", line))


def is_command(words: list[str]) -> bool:
    """Whether ``pointsman`` knows it, with its options."""
    return CliRunner().invoke(cli, [*words, "--help"]).exit_code == 0


def instructions(dockerfile: str) -> Iterator[tuple[str, str]]:
    """Each instruction with what follows it, comments aside."""
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.partition(" ")
            yield word, " ".join(rest.split())


def environment(instruction: str) -> dict[str, str]:
    """What an ENV of the Dockerfile sets."""
    return dict(word.split("=", 1) for word in shlex.split(instruction))


def found(key: str, within: Any) -> Iterator[Any]:
    """Every value of this key, however deep."""
    if isinstance(within, dict):
        for name, value in within.items():
            if name == key:
                yield value
            yield from found(key, value)
    elif isinstance(within, list):
        for value in within:
            yield from found(key, value)
