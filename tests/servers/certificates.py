"""Certificates of a test's own."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import trustme

from deploy.servers import ServerTls

HOSTS = ("127.0.0.1", "localhost")
OTHER_HOST = "127.1"
"""Leads there too, and stands in no certificate."""

_LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
_SINCE_LONG = datetime(2002, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Held:
    """Who holds them can show who it is: a certificate and its key, as files."""

    certificate: Path
    key: Path


class Authority:
    """A CA; ``file`` is its certificate."""

    def __init__(self, folder: Path, name: str) -> None:
        self._ca = trustme.CA(organization_name=name)
        self._numbers = count(1)
        self._folder = folder / name
        self._folder.mkdir()
        self.file = self._folder / "ca.pem"
        self._ca.cert_pem.write_to_path(self.file)

    def issue(self, *names: str, expired: bool = False) -> Held:
        """A certificate for hosts, or for a client that is called so.

        A client's has a name too, since Erlang takes none whose names are empty.
        """
        leaf = self._ca.issue_cert(
            *names,
            common_name=names[0],
            not_before=_LONG_AGO if expired else None,
            not_after=_SINCE_LONG if expired else None,
        )
        name = f"{names[0]}-{next(self._numbers)}"
        held = Held(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        held.certificate.write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
        leaf.private_key_pem.write_to_path(held.key)
        return held

    def server(self) -> ServerTls:
        """What a server on this machine needs that trusts clients of this CA alone."""
        held = self.issue(*HOSTS)
        return ServerTls(
            ca=self.file.read_bytes(),
            certificate=held.certificate.read_bytes(),
            key=held.key.read_bytes(),
        )
