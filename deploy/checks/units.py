"""Whether systemd would take the units: ``python -m deploy.checks.units``.

Asked is ``systemd-analyze``, for a copy in which the command need not be installed. On a machine
without systemd there is nobody to ask, which is told.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "systemd"
_INSTALLED = "/opt/pointsman/bin/pointsman"
_MOST_EXPOSED = "15"  # tenths; systemd calls up to 2.0 well protected


def faults(folder: Path) -> Iterator[str]:
    """What systemd says against the units in the folder, and against what they may do."""
    with tempfile.TemporaryDirectory() as name:
        copied = Path(shutil.copytree(folder, name, dirs_exist_ok=True))
        units = [each for each in sorted(copied.iterdir()) if each.suffix in {".service", ".timer"}]
        for unit in units:
            unit.write_text(unit.read_text().replace(_INSTALLED, sys.executable))
        found = _asked(copied, "verify", *(str(unit) for unit in units))
        yield from dict.fromkeys((found.stdout + found.stderr).splitlines())
        for unit in units:
            if unit.suffix == ".service":
                options = ("--offline=yes", "--no-pager", f"--threshold={_MOST_EXPOSED}")
                found = _asked(copied, "security", *options, unit.name)
                if found.returncode:
                    yield (found.stdout + found.stderr).splitlines()[-1]


def _asked(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments],
        # The colon keeps systemd's own folders in the search.
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:"},
        capture_output=True,
        text=True,
        check=False,
    )


def main() -> int:
    """Print what is wrong; 1 where anything is."""
    if shutil.which("systemd-analyze") is None:
        sys.stdout.write("systemd-analyze is not here: nobody was asked about the units\n")
        return 0
    found = list(faults(_FOLDER))
    sys.stdout.writelines(f"{fault}\n" for fault in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
