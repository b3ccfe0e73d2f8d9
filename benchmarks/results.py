"""Results on file: what was measured, where, and when."""

import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path("build", "bench")


def save(name: str, found: Mapping[str, Any], folder: Path = FOLDER) -> Path:
    """Write what was found as JSON, with the machine that it was found on."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    told = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), **found}
    path.write_text(json.dumps(told, indent=2) + "\n")
    return path


def machine() -> Mapping[str, Any]:
    """What the figures hold for."""
    return {
        "processors": os.cpu_count(),
        "architecture": platform.machine(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }
