"""A server as a container, through testcontainers."""

import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import docker
import docker.errors
import requests
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import get_docker_host

from deploy.servers.errors import CommandFailedError
from deploy.servers.watch import Watch

_SECONDS_TO_ANSWER = 10
_SECONDS_TO_PULL = 300
_SECONDS_TO_STOP = 60
_LOG_LINES = 30


def _engine() -> docker.DockerClient | None:
    """The engine that testcontainers would use, None where none answers."""
    host = get_docker_host() or "unix:///var/run/docker.sock"
    # Tried by hand first: the client library leaves the socket open when nobody listens.
    if host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as attempt:
            try:
                attempt.connect(host.removeprefix("unix://"))
            except OSError:
                return None
    environment = {**os.environ, "DOCKER_HOST": host}
    try:
        return docker.from_env(timeout=_SECONDS_TO_ANSWER, environment=environment)
    except docker.errors.DockerException:
        return None


def _pull(engine: docker.DockerClient, image: str) -> bool:
    """Pull the image, giving up after five minutes, or ten seconds in which nothing comes."""
    deadline = time.monotonic() + _SECONDS_TO_PULL
    try:
        for _ in engine.api.pull(image, stream=True, decode=True):
            if time.monotonic() > deadline:
                return False
        engine.images.get(image)
    except (docker.errors.DockerException, requests.RequestException):
        return False
    return True


def why_no_container(image: str) -> str | None:
    """Why this image can't be run here: no engine answers, or none has or gets it. None: it can."""
    engine = _engine()
    if engine is None:
        return "no Docker engine answers"
    try:
        engine.images.get(image)
    except docker.errors.ImageNotFound:
        return None if _pull(engine, image) else f"Docker has no image {image}"
    finally:
        engine.close()
    return None


@dataclass(kw_only=True)
class ContainerMachine:
    """A server in a container; ``environment`` is that of the tools run beside it."""

    container: DockerContainer
    environment: Mapping[str, str]
    watch: Watch
    _started: bool = False

    def start(self) -> None:
        """Create and start the container, or start it again."""
        if self._started:
            self.container.get_wrapped_container().start()
            return
        self.container.start()
        self._started = True
        self.watch.container(self.container.get_container_id())

    def stop(self) -> None:
        """Send the image's stop signal; after a minute kill it."""
        self.container.get_wrapped_container().stop(timeout=_SECONDS_TO_STOP)

    def kill(self) -> None:
        """Kill every process in the container."""
        if self.is_running():
            wrapped = self.container.get_wrapped_container()
            wrapped.kill()
            wrapped.wait()

    def pause(self) -> None:
        """Freeze the container's control group."""
        self.container.get_wrapped_container().pause()

    def unpause(self) -> None:
        """Let a frozen container go on."""
        self.container.get_wrapped_container().unpause()

    def is_running(self) -> bool:
        """Whether the engine calls the container running or paused."""
        wrapped = self.container.get_wrapped_container()
        wrapped.reload()
        return wrapped.status in {"running", "paused"}

    def run(self, *command: str) -> str:
        """Run a program in the container."""
        wrapped = self.container.get_wrapped_container()
        try:
            code, output = wrapped.exec_run(
                list(command), environment=dict(self.environment), demux=True
            )
        except docker.errors.APIError as error:
            raise CommandFailedError(command, error.status_code, str(error)) from error
        stdout, stderr = (part.decode(errors="replace") if part else "" for part in output)
        if code:
            raise CommandFailedError(command, code, stdout + stderr)
        return stdout

    def log(self) -> str:
        """The end of what the container wrote."""
        written = self.container.get_wrapped_container().logs(tail=_LOG_LINES)
        return bytes(written).decode(errors="replace")


@contextmanager
def container_machine(
    container: DockerContainer, environment: Mapping[str, str]
) -> Iterator[ContainerMachine]:
    """A machine that is gone at the end, with its volumes."""
    # The watcher does the work of testcontainers' reaper, without an image of its own to pull.
    testcontainers_config.ryuk_disabled = True
    with Watch() as watch:
        try:
            yield ContainerMachine(container=container, environment=environment, watch=watch)
        finally:
            container.stop()
