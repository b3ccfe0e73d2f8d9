"""Where the broker is, and how TLS is spoken with it."""

import re
import ssl
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiormq.connection import DEFAULT_PORTS
from yarl import URL

from persistence.tls import TlsFiles, TlsSetupError

_TLS = "amqps"
# What the client library reads from a URL, and the setting in whose place it stands there.
_OPTIONS = {"cafile": "ca", "capath": "ca", "cadata": "ca", "certfile": "cert", "keyfile": "key"}
_UNCHECKED = "no_verify_ssl"
_ENDS_HOST = re.compile("[/?#]")


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """A broker's URL, and files for TLS beside it."""

    url: str = field(repr=False)
    tls: TlsFiles = field(default_factory=TlsFiles)

    @classmethod
    def of(cls, broker: "BrokerAddress | str") -> "BrokerAddress":
        """An address as it is; a URL is one without files."""
        return cls(broker) if isinstance(broker, str) else broker

    @property
    def target(self) -> URL:
        """The URL, taken apart; a ``ValueError`` where it is no broker's."""
        url = URL(self.url)
        login, _, rest = self.url.partition("://")[2].partition("@")
        # A password with a character that ends the host's part would be told as a host.
        broken = rest and _ENDS_HOST.search(login)
        if broken or url.scheme not in DEFAULT_PORTS or not url.host or url.port == 0:
            raise ValueError("not the URL of a broker")
        return url

    @property
    def place(self) -> str:
        """The host and the port."""
        url = self.target
        return f"{url.host}:{url.port or DEFAULT_PORTS[url.scheme]}"

    def tls_context(self) -> ssl.SSLContext | None:
        """What to speak TLS with, None where it is not spoken; files are read at each call.

        The broker's certificate and host name are checked, whatever the URL says.

        Raises:
            TlsSetupError: a file can't be used, or the URL asks for something else.
        """
        url = self.target
        options = {name: value for name, value in url.query.items() if name in _OPTIONS}
        if url.scheme != _TLS:
            self._refuse_needless(options)
            return None
        if url.query.get(_UNCHECKED, "0") != "0":
            raise TlsSetupError(
                "url", f"the option {_UNCHECKED!r} is refused: name the file of the broker's CA"
            )
        for name in options:
            if getattr(self.tls, _OPTIONS[name]) is not None:
                raise TlsSetupError(_OPTIONS[name], f"the URL has it too, as {name!r}; set it once")
        return self._context(options)

    def _refuse_needless(self, options: Mapping[str, str]) -> None:
        without = "has no effect with a URL that begins with amqp://; let it begin with amqps://"
        for part in self.tls.given:
            raise TlsSetupError(part, f"it {without}")
        for name in options:
            raise TlsSetupError("url", f"its option {name!r} {without}")

    def _context(self, options: Mapping[str, str]) -> ssl.SSLContext:
        files = TlsFiles(
            ca=self.tls.ca or _path(options, "cafile"),
            cert=self.tls.cert or _path(options, "certfile"),
            key=self.tls.key or _path(options, "keyfile"),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            files.load_into(context)
            _load_authorities(context, options)
        except TlsSetupError as error:
            named = error.part if error.part in self.tls.given else "url"
            raise TlsSetupError(named, str(error)) from error
        if files.ca is None and not options.keys() & {"capath", "cadata"}:
            context.load_default_certs()
        return context


def _path(options: Mapping[str, str], name: str) -> Path | None:
    return Path(options[name]) if options.get(name) else None


def _load_authorities(context: ssl.SSLContext, options: Mapping[str, str]) -> None:
    """Trust the CAs that the URL holds itself, or names a folder of."""
    try:
        if "cadata" in options:
            context.load_verify_locations(cadata=b64decode(options["cadata"]))
        if "capath" in options:
            context.load_verify_locations(capath=options["capath"])
    except (NotBase64, OSError) as error:  # TLS's own errors are OSErrors too
        raise TlsSetupError("ca", "its CAs can't be read") from error
