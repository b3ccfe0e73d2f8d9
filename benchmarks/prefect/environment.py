"""Prefect's own environment: where its Python is, and what its processes find set."""

import os
from pathlib import Path

from benchmarks.prefect.errors import NotInstalledError
from deploy.checks.lock import pinned

ROOT = Path(__file__).parents[2]
BINARIES = ROOT / ".venv-prefect" / "bin"
"""Made by ``deploy/setup/prefect.sh`` from ``requirements/prefect.lock``."""

PYTHON = BINARIES / "python"
COMMAND = BINARIES / "prefect"

_QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",
}
"""Nothing is told to anybody, nor looked for outside."""


def require_prefect() -> None:
    """Raise ``NotInstalledError`` unless Prefect's environment is there."""
    if not PYTHON.exists():
        raise NotInstalledError(PYTHON)


def prefect_version() -> str:
    """The version that is compared with."""
    lock = ROOT / "requirements" / "prefect.lock"
    return pinned(lock.read_text(encoding="utf-8"))["prefect"]


def environment(home: Path, database_url: str) -> dict[str, str]:
    """This process's environment with just these settings of Prefect's; it writes to ``home``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    own = {"PREFECT_HOME": str(home), "PREFECT_API_DATABASE_CONNECTION_URL": database_url}
    return kept | _QUIET | own
