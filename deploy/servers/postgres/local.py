"""A PostgreSQL from this machine's binaries."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.servers.errors import CommandFailedError
from deploy.servers.folders import temporary_folder
from deploy.servers.local import LocalMachine
from deploy.servers.ports import LOOPBACK, free_ports
from deploy.servers.postgres.configuration import as_options, tls_files, tls_settings
from deploy.servers.postgres.server import PostgresAddress, PostgresServer
from deploy.servers.tls import ServerTls
from deploy.servers.watch import Watch

_DEBIAN_VERSIONS = Path("/usr/lib/postgresql")
_MAX_CONNECTIONS = 200
_SUPERUSER = "postgres"
_DATA = "data"
_PASSWORD_FILE = "password"  # noqa: S105  the file's name
_TOOLS = "local all all"


def find_binaries() -> Path | None:
    """The folder of ``postgres``, ``initdb`` and ``psql``, the newest version's; None: no such."""
    on_path = shutil.which("postgres")
    folders = sorted(
        (folder / "bin" for folder in _DEBIAN_VERSIONS.glob("[0-9]*")),
        key=lambda folder: int(folder.parent.name),
        reverse=True,
    )
    if on_path is not None:
        folders.append(Path(on_path).resolve().parent)
    programs = ("postgres", "initdb", "psql")
    complete = (f for f in folders if all((f / program).exists() for program in programs))
    return next(complete, None)


def _user() -> str | None:
    """As whom the server runs where root starts it, since it refuses root; None: as oneself."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return _SUPERUSER if _SUPERUSER in names else "nobody"


def _environment(host: str, port: int) -> dict[str, str]:
    """The caller's environment, less what is meant for another server, with this one's own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return inherited | {
        "LC_ALL": "C.UTF-8",
        "PGHOST": host,
        "PGPORT": str(port),
        "PGUSER": _SUPERUSER,
    }


def _initialise(binaries: Path, data: Path, user: str | None) -> None:
    command = [str(binaries / "initdb"), "--pgdata", str(data), "--username", _SUPERUSER]
    command += ["--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]
    command += ["--pwfile", str(data.parent / _PASSWORD_FILE)]
    done = subprocess.run(
        command,
        cwd=data.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        user=user,
        extra_groups=None if user is None else [],
    )
    if done.returncode:
        raise CommandFailedError(command, done.returncode, done.stdout + done.stderr)


def _write_tls_files(folder: Path, tls: ServerTls, user: str | None) -> None:
    for name, content in tls_files(tls, tools=_TOOLS).items():
        file = folder / name
        file.write_bytes(content)
        file.chmod(0o600)
        if user is not None:
            shutil.chown(file, user)


def _settings(folder: Path, port: int, tls: ServerTls | None, *, durable: bool) -> dict[str, str]:
    settings = {
        "listen_addresses": LOOPBACK,
        "port": str(port),
        "unix_socket_directories": "" if tls is None else str(folder),
        "max_connections": str(_MAX_CONNECTIONS),
        "fsync": "on" if durable else "off",
    }
    return settings if tls is None else settings | tls_settings(str(folder))


@contextmanager
def local_postgresql(
    binaries: Path, *, durable: bool, tls: ServerTls | None = None
) -> Iterator[PostgresServer]:
    """A server on a free port of 127.0.0.1, gone at the end with all that it wrote.

    Without ``tls`` all who reach the port are trusted.
    """
    (port,) = free_ports(1)
    password = secrets.token_hex(8)
    user = _user()
    with Watch() as watch, temporary_folder(watch, owner=user) as folder:
        (folder / _PASSWORD_FILE).write_text(password)
        _initialise(binaries, folder / _DATA, user)
        if tls is not None:
            _write_tls_files(folder, tls, user)
        machine = LocalMachine(
            command=[
                str(binaries / "postgres"),
                *("-D", str(folder / _DATA)),
                *as_options(_settings(folder, port, tls, durable=durable)),
            ],
            environment=_environment(LOOPBACK if tls is None else str(folder), port),
            folder=folder,
            tools=binaries,
            watch=watch,
            user=user,
            stop_signal=signal.SIGINT,
        )
        address = PostgresAddress(host=LOOPBACK, port=port, user=_SUPERUSER, password=password)
        server = PostgresServer(machine, address)
        try:
            server.start_again()
            yield server
        finally:
            machine.kill()
