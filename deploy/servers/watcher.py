"""The process that ends what its starter left; ``watch`` starts it."""

import json
import shutil
import signal
import sys
from collections.abc import Iterable

import psutil

from deploy.servers.process_tree import kill_tree

_SIGNALS_TO_OUTLIVE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _remove_containers(container_ids: Iterable[str]) -> None:
    # Imported here: most watchers never need it, and it takes longer than all the rest.
    import docker  # noqa: PLC0415
    import docker.errors  # noqa: PLC0415

    client = docker.from_env()
    for container_id in container_ids:
        try:
            client.api.remove_container(container_id, v=True, force=True)
        except docker.errors.NotFound:
            continue
    client.close()


def watch(lines: Iterable[str]) -> None:
    """Read what to end until the starter is gone, then end it."""
    processes: list[psutil.Process] = []
    containers: list[str] = []
    folders: list[str] = []
    for line in lines:
        match json.loads(line):
            case {"process": int(pid)} if psutil.pid_exists(pid):
                processes.append(psutil.Process(pid))
            case {"container": str(container_id)}:
                containers.append(container_id)
            case {"folder": str(folder)}:
                folders.append(folder)
    for process in processes:
        kill_tree(process)
    if containers:
        _remove_containers(containers)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    for number in _SIGNALS_TO_OUTLIVE:
        signal.signal(number, signal.SIG_IGN)
    watch(sys.stdin)
