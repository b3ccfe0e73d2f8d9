"""The demo's child: its settings, its signals, its exit code."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.demo.child import environment, run
from deploy.demo.place import Place
from deploy.servers.watch import Watch

_ROOT = Path(__file__).parents[3]

_PARENT = """
import os, signal, sys
from deploy.demo import child
from deploy.servers.watch import Watch

for number in child.SIGNALS:
    signal.signal(number, child.raise_stopped)
with Watch() as watch:
    sys.exit(child.run([sys.executable, "-c", sys.argv[1]], os.environ, watch))
"""

_COUNTS_SIGNALS = """
import signal, sys

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])
print("ready", flush=True)
got = signal.sigwait([signal.SIGINT, signal.SIGTERM])
again = signal.sigtimedwait([signal.SIGINT, signal.SIGTERM], 0.2)
sys.exit(40 + got if again is None else 1)
"""


def test_what_is_set_for_another_pointsman_does_not_reach_the_demo(tmp_path: Path) -> None:
    inherited = {
        "PATH": "/bin",
        "POINTSMAN_DATABASE_URL": "postgresql+asyncpg://production/",
        "POINTSMAN_TASK_POLICY": "ours:Policy",
        "POINTSMAN_LOG_LEVEL": "debug",
    }
    settings = environment(inherited, Place("amqp://here/", partitions=3), tmp_path)
    assert settings == {
        "PATH": "/bin",
        "POINTSMAN_LOG_LEVEL": "debug",
        "POINTSMAN_AMQP_URL": "amqp://here/",
        "POINTSMAN_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/pointsman.db",
        "POINTSMAN_PARTITIONS": "3",
        "POINTSMAN_HTTP_PORT": "0",
    }


def test_files_for_tls_reach_the_demo_where_its_broker_speaks_tls(tmp_path: Path) -> None:
    inherited = {"POINTSMAN_AMQP_CA": "ca.pem", "POINTSMAN_DATABASE_CA": "ca.pem"}

    secure = environment(inherited, Place("amqps://here/"), tmp_path)
    plain = environment(inherited, Place("amqp://here/"), tmp_path)

    assert secure["POINTSMAN_AMQP_CA"] == "ca.pem"
    assert "POINTSMAN_DATABASE_CA" not in secure
    assert "POINTSMAN_AMQP_CA" not in plain


def test_the_childs_exit_code_is_passed_on() -> None:
    with Watch() as watch:
        assert run([sys.executable, "-c", "raise SystemExit(7)"], os.environ, watch) == 7


def test_a_child_ended_by_a_signal_counts_as_128_and_the_signal() -> None:
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with Watch() as watch:
        assert run([sys.executable, "-c", killed], os.environ, watch) == 128 + signal.SIGKILL


def test_what_the_child_leaves_running_is_ended() -> None:
    leaves = "import subprocess; subprocess.Popen(['sleep', '600']); print('left')"
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT, leaves], cwd=_ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        # The pipe ends only when all who inherited it have, the one left behind included.
        assert parent.stdout.read() == "left\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_comes_to_the_child_once_and_its_answer_is_waited_for(
    number: signal.Signals,
) -> None:
    # A process group of their own stands for the terminal's, all of which Ctrl-C reaches.
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT, _COUNTS_SIGNALS],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        os.killpg(parent.pid, number)
        assert parent.wait() == 40 + number
