"""Installing a server's Debian package where that is permitted."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_INSTALLER = Path(__file__).with_name("install_debian.sh")
_LOG_LINES = 5


def _as_root() -> list[str] | None:
    """The words before a command that is to run as root; None where nobody lets us."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    asked = subprocess.run([sudo, "-n", "true"], capture_output=True, check=False)
    return None if asked.returncode else [sudo, "-n"]


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let no other process of this user's install anything meanwhile, as tests in parallel may."""
    place = Path(tempfile.gettempdir(), f"pointsman-installing-{os.getuid()}")
    with place.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(package: str) -> str | None:
    """Install a package without letting any service start; why not, or None where it was done."""
    if shutil.which("apt-get") is None:
        return f"{package} is not installed"
    as_root = _as_root()
    if as_root is None:
        return f"{package} is not installed, nor may this user install it"
    sys.stderr.write(f"Installing {package}, without letting it start ...\n")
    done = subprocess.run(
        [*as_root, "sh", str(_INSTALLER), package],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return None
    last = " / ".join(done.stdout.strip().splitlines()[-_LOG_LINES:])
    return f"{package} could not be installed ({last})"
