"""Temporary folders that do not outlive their makers."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.servers.watch import Watch


@contextmanager
def temporary_folder(watch: Watch, owner: str | None = None) -> Iterator[Path]:
    """A folder for one server, readable by its owner alone (by default whoever asks for it)."""
    folder = Path(tempfile.mkdtemp(prefix="pointsman-"))
    watch.folder(folder)
    try:
        if owner is not None:
            shutil.chown(folder, owner)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
