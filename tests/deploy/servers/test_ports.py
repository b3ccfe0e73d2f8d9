import socket
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

from deploy.servers.ports import LOOPBACK, claim, free_ports

ROOT = Path(__file__).parents[3]
ASKING = "from deploy.servers.ports import free_ports; print(*free_ports(1), flush=True); input()"


def test_free_ports_differ_and_can_be_listened_on() -> None:
    ports = free_ports(5)
    assert len(set(ports)) == 5
    for port in ports:
        with socket.create_server((LOOPBACK, port)):
            pass


def test_free_ports_are_never_those_of_outgoing_connections() -> None:
    assert all(1024 < port < 32_768 for port in free_ports(50))


def test_a_port_belongs_to_the_process_that_was_given_it_until_its_end() -> None:
    command = (sys.executable, "-c", ASKING)
    with subprocess.Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, text=True) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        assert not claim(port)
        other.communicate("\n")
    assert claim(port)
