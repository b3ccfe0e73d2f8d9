"""A RabbitMQ from this machine's binaries."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.servers.folders import temporary_folder
from deploy.servers.local import LocalMachine
from deploy.servers.ports import LOOPBACK, free_ports
from deploy.servers.rabbit.configuration import (
    ENABLED_PLUGINS,
    SETTINGS,
    tls_files,
    tls_settings,
)
from deploy.servers.rabbit.server import RabbitAddress, RabbitServer
from deploy.servers.tls import ServerTls
from deploy.servers.watch import Watch

# Debian's commands in /usr/sbin refuse all users but root and rabbitmq; those behind them do not.
_DEBIAN_SCRIPTS = Path("/usr/lib/rabbitmq/bin")
_ON_LOOPBACK = "-kernel inet_dist_use_interface {127,0,0,1}"
_USER = "guest"


@dataclass(frozen=True, slots=True)
class RabbitBinaries:
    """RabbitMQ's scripts and Erlang's port mapper."""

    scripts: Path
    epmd: Path


@dataclass(frozen=True, slots=True)
class _Ports:
    amqp: int
    management: int
    distribution: int
    epmd: int
    tls: int


def find_binaries() -> RabbitBinaries | None:
    """The binaries of this machine, None where something is missing."""
    epmd = shutil.which("epmd")
    on_path = shutil.which("rabbitmq-server")
    if (_DEBIAN_SCRIPTS / "rabbitmq-server").exists():
        scripts = _DEBIAN_SCRIPTS
    elif on_path is not None:
        scripts = Path(on_path).resolve().parent
    else:
        return None
    return None if epmd is None else RabbitBinaries(scripts, Path(epmd))


def _configuration(ports: _Ports, password: str) -> str:
    return SETTINGS + (
        f"listeners.tcp.1 = {LOOPBACK}:{ports.amqp}\n"
        f"management.tcp.ip = {LOOPBACK}\n"
        f"management.tcp.port = {ports.management}\n"
        f"default_user = {_USER}\n"
        f"default_pass = {password}\n"
    )


def _environment(folder: Path, ports: _Ports) -> dict[str, str]:
    """The caller's environment, less what is meant for another broker, with this one's own."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RABBITMQ_", "ERL_", "NOTIFY_SOCKET"))
    }
    return inherited | {
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "ERL_EPMD_PORT": str(ports.epmd),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "RABBITMQ_NODENAME": f"pointsman-{ports.amqp}@localhost",
        "RABBITMQ_DIST_PORT": str(ports.distribution),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "no-environment.conf"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "config"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": _ON_LOOPBACK,
        "RABBITMQ_CTL_ERL_ARGS": _ON_LOOPBACK,
    }


def _write_files(folder: Path, ports: _Ports, password: str, tls: ServerTls | None) -> None:
    settings = _configuration(ports, password)
    if tls is not None:
        settings += tls_settings(f"{LOOPBACK}:{ports.tls}", str(folder), tls)
        for name, content in tls_files(tls).items():
            (folder / name).write_bytes(content)
    (folder / "rabbitmq.conf").write_text(settings)
    (folder / "advanced.config").write_text("[].\n")
    (folder / "enabled_plugins").write_text(ENABLED_PLUGINS)
    (folder / "no-environment.conf").touch()
    cookie = folder / ".erlang.cookie"
    cookie.write_text(secrets.token_hex(20))
    cookie.chmod(0o400)


@contextmanager
def _port_mapper(epmd: Path, port: int, watch: Watch) -> Iterator[None]:
    """Erlang's port mapper in the foreground.

    Without one on its port the broker would start one that stays behind as a daemon.
    """
    command = [str(epmd), "-port", str(port), "-address", LOOPBACK]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        watch.process(process.pid)
        try:
            yield
        finally:
            process.kill()


@contextmanager
def local_rabbitmq(
    binaries: RabbitBinaries, tls: ServerTls | None = None
) -> Iterator[RabbitServer]:
    """A broker on free ports of 127.0.0.1, gone at the end with all that it wrote."""
    ports = _Ports(*free_ports(5))
    password = secrets.token_hex(8)
    with (
        Watch() as watch,
        temporary_folder(watch) as folder,
        _port_mapper(binaries.epmd, ports.epmd, watch),
    ):
        _write_files(folder, ports, password, tls)
        machine = LocalMachine(
            command=[str(binaries.scripts / "rabbitmq-server")],
            environment=_environment(folder, ports),
            folder=folder,
            tools=binaries.scripts,
            watch=watch,
        )
        address = RabbitAddress(
            host=LOOPBACK,
            port=ports.amqp,
            management_port=ports.management,
            user=_USER,
            password=password,
            tls_port=None if tls is None else ports.tls,
        )
        server = RabbitServer(machine, address)
        try:
            server.start_again()
            yield server
        finally:
            machine.kill()
