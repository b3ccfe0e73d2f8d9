"""What the compose file describes, as it runs under an engine."""

import json
import os
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.servers.ports import LOOPBACK, free_ports
from tests.docs.pages import ROOT

WAIT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Composed:
    """The services of one project, with secrets and ports of its own."""

    secrets: Path
    amqp_port: int
    http_port: int
    project: str = field(default_factory=lambda: f"pointsman-trial-{secrets.token_hex(4)}")

    def run(self, *arguments: str) -> str:
        """What a command of ``docker compose`` prints."""
        return _run("docker", "compose", *arguments, **self._environment)

    def container(self, service: str) -> dict[str, Any]:
        """All that the engine knows of a service's container."""
        [container] = self.run("ps", "--all", "--quiet", service).split()
        [found] = json.loads(_run("docker", "inspect", container))
        known: dict[str, Any] = found
        return known

    def state(self, service: str) -> dict[str, Any]:
        """The state of that container."""
        state: dict[str, Any] = self.container(service)["State"]
        return state

    def is_healthy(self, service: str) -> bool:
        """Whether its check has said so."""
        return bool(self.state(service)["Health"]["Status"] == "healthy")

    def url_of(self, user: str) -> str:
        """The broker's URL for a user, as seen from outside."""
        inside = (self.secrets / f"{user}_amqp_url").read_text()
        return inside.replace("@rabbitmq/", f"@{LOOPBACK}:{self.amqp_port}/")

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "COMPOSE_FILE": os.environ.get("COMPOSE_FILE", str(ROOT / "deploy" / "compose.yaml")),
            "COMPOSE_PROJECT_NAME": self.project,
            "SECRETS": str(self.secrets),
            "AMQP_PORT": str(self.amqp_port),
            "HTTP_PORT": str(self.http_port),
        }


@contextmanager
def composed(folder: Path) -> Iterator[Composed]:
    """All services, started as the page tells; gone at the end with their volumes."""
    _run("sh", str(ROOT / "deploy" / "compose" / "secrets.sh"), str(folder))
    amqp_port, http_port = free_ports(2)
    services = Composed(folder, amqp_port, http_port)
    try:
        services.run("up", "--detach", "--no-build")
        yield services
    finally:
        services.run("--profile", "operator", "down", "--volumes", "--timeout", "5")


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, and fail where it does not come to that."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def _run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
