"""Where a database is, and by which files TLS is spoken with it."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import URL

from persistence.tls import TlsFiles, TlsSetupError

_UNENCRYPTED = "disable"
_UNCHECKED = frozenset({_UNENCRYPTED, "allow", "prefer"})
_STRICTEST = "verify-full"


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """A database's URL, and files for TLS beside it."""

    url: str = field(repr=False)
    tls: TlsFiles = field(default_factory=TlsFiles)

    @classmethod
    def of(cls, database: "DatabaseAddress | str") -> "DatabaseAddress":
        """An address as it is; a URL is one without files."""
        return cls(database) if isinstance(database, str) else database


def check_files(url: URL, files: TlsFiles) -> None:
    """See that the files, of which there are some, can be used, and that the URL lets them be.

    Raises:
        TlsSetupError: a file can't be used, or has no effect with this URL.
    """
    if url.get_backend_name() == "sqlite":
        raise TlsSetupError(files.given[0], "SQLite is a file, to which no TLS is spoken")
    mode = url.query.get("ssl")
    if mode == _UNENCRYPTED or (mode in _UNCHECKED and files.ca is not None):
        raise TlsSetupError(
            files.given[0],
            f"it has no effect with '?ssl={mode}' in the URL; leave that out, or ask for"
            f" {_STRICTEST}",
        )
    files.check()


def tls_arguments(url: URL, files: TlsFiles) -> dict[str, Any]:
    """What the driver is given for it; it reads the files anew for each connection."""
    if not files.given:
        return {}
    options = {"sslrootcert": files.ca, "sslcert": files.cert, "sslkey": files.key or files.cert}
    named = urlencode({name: str(file) for name, file in options.items() if file is not None})
    # The driver takes paths in a URL of its own only, where all else is left open.
    arguments = {"dsn": f"postgresql://?{named}"}
    return arguments if "ssl" in url.query else arguments | {"ssl": _STRICTEST}
