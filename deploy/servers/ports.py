"""Free ports on this machine."""

import secrets
import socket
import sys

LOOPBACK = "127.0.0.1"

# Below the range from which Linux takes the ports of outgoing connections. A client that keeps
# trying while its server is down could otherwise be given the server's own port, connect to
# itself and keep the server from coming back.
_LOWEST, _HIGHEST = 10_240, 32_767


def _is_free(port: int) -> bool:
    with socket.socket() as candidate:
        try:
            candidate.bind(("", port))
        except OSError:
            return False
        return True


def claim(port: int) -> bool:
    """Keep a port from all other processes that ask here, for as long as this one lives.

    A server takes a second or more until it listens, and its port must be free again after it was
    killed. The kernel gives names without a file back with the process; they are Linux's.
    """
    if not sys.platform.startswith("linux"):
        return True
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0pointsman-port-{port}")
    except OSError:
        name.close()
        return False
    name.detach()  # never to be closed
    return True


def free_ports(count: int) -> list[int]:
    """That many different ports on which nobody listens, and which nobody else is given."""
    found: set[int] = set()
    while len(found) < count:
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST + 1)
        if _is_free(port) and claim(port):
            found.add(port)
    return list(found)
