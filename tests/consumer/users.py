"""Users of a broker who may not do everything."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.vhosts import Vhost


@contextmanager
def limited_user(
    vhost: Vhost, *, configure: str = "", write: str = "", read: str = ""
) -> Iterator[str]:
    """The URL of a user with these permissions, which are regular expressions for names."""
    name = f"limited-{secrets.token_hex(4)}"
    vhost.server.run_ctl("add_user", name, "secret")
    vhost.server.run_ctl("set_permissions", "--vhost", vhost.name, name, configure, write, read)
    try:
        yield f"amqp://{name}:secret@{vhost.server.host}:{vhost.server.port}/{vhost.name}"
    finally:
        vhost.server.run_ctl("delete_user", name)
