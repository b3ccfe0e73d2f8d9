"""The few calls of RabbitMQ's management API that make and remove virtual hosts."""

import base64
import http.client
import json
from dataclasses import dataclass, field
from urllib.parse import quote

from deploy.servers.errors import CommandFailedError

_EVERYTHING = {"configure": ".*", "write": ".*", "read": ".*"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Management:
    """The management API of one broker, used as one of its users.

    Calls raise ``CommandFailedError`` where the API refuses, ``OSError`` or ``HTTPException``
    where none answers.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    timeout_seconds: float = 30

    def who_am_i(self) -> None:
        """Return if the API answers and knows the user."""
        self._call("GET", "whoami")

    def create_vhost(self, name: str) -> None:
        """Make a virtual host in which the user may do everything."""
        self._call("PUT", f"vhosts/{quote(name, safe='')}", {})
        user = quote(self.user, safe="")
        self._call("PUT", f"permissions/{quote(name, safe='')}/{user}", _EVERYTHING)

    def delete_vhost(self, name: str) -> None:
        """Delete a virtual host with all that is in it; connections to it are closed."""
        self._call("DELETE", f"vhosts/{quote(name, safe='')}")

    def _call(self, method: str, path: str, body: dict[str, str] | None = None) -> None:
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        headers = {"authorization": f"Basic {login}", "content-type": "application/json"}
        connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout_seconds)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, f"/api/{path}", sent, headers)
            response = connection.getresponse()
            answer = response.read().decode()
        finally:
            connection.close()
        if response.status >= http.client.BAD_REQUEST:
            raise CommandFailedError([method, path], response.status, answer)
