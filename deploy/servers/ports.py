"""Free ports on this machine."""

import secrets
import socket

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


def free_ports(count: int) -> list[int]:
    """That many different ports on which nobody listens just now."""
    found: set[int] = set()
    while len(found) < count:
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST + 1)
        if _is_free(port):
            found.add(port)
    return list(found)
