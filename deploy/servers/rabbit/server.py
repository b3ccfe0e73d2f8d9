"""A RabbitMQ of one's own, wherever it runs."""

import http.client
import socket
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from deploy.servers.errors import CommandFailedError
from deploy.servers.rabbit.management import Management
from deploy.servers.server import Server
from deploy.servers.waiting import wait_until

_SECONDS_TO_ANSWER = 30
_PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
_METHOD_FRAME = b"\x01"


@dataclass(frozen=True, slots=True, kw_only=True)
class RabbitAddress:
    """Where a broker listens, for TLS too if it speaks that, and its administrator."""

    host: str
    port: int
    management_port: int
    user: str
    password: str
    tls_port: int | None = None


class RabbitServer(Server[RabbitAddress]):
    """A broker; its user may do everything."""

    @property
    def url(self) -> str:
        """The AMQP URL of the default virtual host."""
        return self.url_of("/")

    def url_of(self, vhost: str) -> str:
        """The AMQP URL of a virtual host."""
        address = self.address
        login = f"{address.user}:{address.password}"
        path = "" if vhost == "/" else quote(vhost, safe="")
        return f"amqp://{login}@{address.host}:{address.port}/{path}"

    def tls_url_of(self, vhost: str) -> str:
        """The same for TLS, of a broker that speaks it."""
        plain = urlsplit(self.url_of(vhost))
        login, _, _ = plain.netloc.rpartition("@")
        address = f"{login}@{self.host}:{self.address.tls_port}"
        return plain._replace(scheme="amqps", netloc=address).geturl()

    def create_vhost(self, name: str) -> str:
        """Make a virtual host in which the server's user may do everything; its URL."""
        self._management.create_vhost(name)
        return self.url_of(name)

    def delete_vhost(self, name: str) -> None:
        """Delete a virtual host with all that is in it; connections to it are closed."""
        self._management.delete_vhost(name)

    def run_ctl(self, *arguments: str) -> str:
        """Run ``rabbitmqctl`` on this broker; its standard output."""
        return self.machine.run("rabbitmqctl", "--quiet", *arguments)

    def wait_until_ready(self) -> None:
        """Wait until the broker speaks AMQP and its management answers."""
        wait_until(
            lambda: self._speaks_amqp() and self._listens_for_tls() and self._manages(),
            "RabbitMQ",
            self.machine,
        )

    def _speaks_amqp(self) -> bool:
        """Whether the broker answers a protocol header; a forwarded port alone would not."""
        try:
            with socket.create_connection((self.host, self.port), _SECONDS_TO_ANSWER) as connection:
                connection.sendall(_PROTOCOL_HEADER)
                return connection.recv(1) == _METHOD_FRAME
        except OSError:
            return False

    def _listens_for_tls(self) -> bool:
        """Whether it does if it is to; its listener for TLS comes after the other one."""
        if self.address.tls_port is None:
            return True
        with socket.socket() as attempt:
            attempt.settimeout(_SECONDS_TO_ANSWER)
            return attempt.connect_ex((self.host, self.address.tls_port)) == 0

    def _manages(self) -> bool:
        try:
            self._management.who_am_i()
        except (OSError, http.client.HTTPException, CommandFailedError):
            return False
        return True

    @property
    def _management(self) -> Management:
        address = self.address
        return Management(
            host=address.host,
            port=address.management_port,
            user=address.user,
            password=address.password,
        )
