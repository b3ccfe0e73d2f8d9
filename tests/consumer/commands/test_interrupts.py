import subprocess
import sys

PROGRAM = """
import signal
from unittest.mock import patch

from consumer.commands import main

with patch("consumer.commands.import_module", lambda _: signal.raise_signal(signal.SIGINT)):
    main()
"""


def test_ctrl_c_while_modules_are_imported_ends_without_a_word() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"")
