"""TLS to a server: the files for it, and what its failures mean, to the broker's connections too.

``setting`` is what the names of the settings begin with, of which a failure names the one to mend.
"""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_PRIVATE_KEY = b"PRIVATE KEY-----"
_EXPIRED, _NOT_YET_VALID = 10, 9  # OpenSSL's codes, X509_V_ERR_…
_OTHER_HOST = frozenset({62, 64})
_PLAIN = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"})
_DEMANDED = frozenset({"TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_HANDSHAKE_FAILURE"})
_REFUSED = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED")


class TlsSetupError(Exception):
    """What is set for TLS can't be used; ``part`` is the setting's last word in lower case."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(reason)
        self.part = part


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Paths of PEM files; the certificate's own file holds the key where there is no other."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """Which of them there are."""
        return tuple(part for part in ("ca", "cert", "key") if getattr(self, part) is not None)

    def check(self) -> None:
        """See that the files can be used.

        Raises:
            TlsSetupError: one is missing or holds something else, or a key has no certificate.
        """
        self.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    def load_into(self, context: ssl.SSLContext) -> None:
        """Let connections trust the CAs, and show the certificate.

        Raises:
            TlsSetupError: as of ``check``.
        """
        if self.ca is not None:
            _load_certificates(context, "ca", self.ca)
        if self.cert is not None:
            _load_own(context, self.cert, self.key)
        elif self.key is not None:
            raise TlsSetupError("key", "there is no certificate to it; set that too")


class Trouble(NamedTuple):
    """Why there is no connection by TLS, and what helps."""

    cause: str
    remedy: str


def tls_trouble(error: BaseException, setting: str) -> Trouble | None:
    """What an error says about TLS, None where it is about something else."""
    for each in causes(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            return _not_trusted(each, setting)
        if isinstance(each, ssl.SSLError):
            return _failed(each.reason or "", setting)
    return None


def hung_up(setting: str) -> Trouble:
    """What a server means that closes a connection by TLS as soon as it has it."""
    return Trouble(
        "it hung up after TLS had begun",
        f"it may demand a client's certificate, or refuse ours: see {setting}_CERT",
    )


def certificate_demanded(setting: str) -> Trouble:
    """A server lets nobody in without a certificate."""
    return Trouble("it demands a client's certificate", f"set {setting}_CERT and {setting}_KEY")


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error, what it came from, and so on; libraries make rings of these."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or each.__context__


def _not_trusted(error: ssl.SSLCertVerificationError, setting: str) -> Trouble:
    told = error.verify_message.rstrip(".")
    if error.verify_code in _OTHER_HOST:
        return Trouble(
            f"its certificate is another host's: {told}",
            f"name it in {setting}_URL as its certificate does",
        )
    if error.verify_code in (_EXPIRED, _NOT_YET_VALID):
        return Trouble(
            f"its certificate can't be trusted: {told}",
            "let it be renewed, and see that the clocks are right",
        )
    return Trouble(
        f"its certificate can't be trusted: {told}", f"name the file of its CA in {setting}_CA"
    )


def _failed(reason: str, setting: str) -> Trouble:
    told = reason.lower().replace("_", " ") or "no reason given"
    if reason in _PLAIN:
        return Trouble("it does not speak TLS there", f"see {setting}_URL for the port and scheme")
    if reason in _DEMANDED:
        return certificate_demanded(setting)
    if "_ALERT_" in reason and any(part in reason for part in _REFUSED):
        return Trouble(
            f"it does not accept our certificate: {told}",
            f"see that {setting}_CERT has not expired and is of a CA that the server trusts",
        )
    return Trouble(f"TLS failed: {told}", "see what the server's log says about it")


def _load_own(context: ssl.SSLContext, cert: Path, key: Path | None) -> None:
    _load_certificates(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "cert", cert)
    part, file = ("cert", cert) if key is None else ("key", key)
    content = _read(part, file)
    if _PRIVATE_KEY not in content:
        where = "; give its key a file too" if key is None else ""
        raise TlsSetupError(part, f"the file {file} holds no private key in PEM{where}")
    if b"ENCRYPTED" in content:
        raise TlsSetupError(part, f"the key in {file} has a passphrase; give one that has none")
    try:
        # A passphrase that OpenSSL misses it would ask for on the terminal.
        context.load_cert_chain(cert, file, password=lambda: "")
    except ssl.SSLError as error:
        why = "is not the certificate's" if _is_mismatch(error) else "can't be read"
        raise TlsSetupError(part, f"the private key in {file} {why}") from error


def _is_mismatch(error: ssl.SSLError) -> bool:
    return error.reason == "KEY_VALUES_MISMATCH"


def _load_certificates(context: ssl.SSLContext, part: str, file: Path) -> None:
    _read(part, file)
    try:
        context.load_verify_locations(cafile=file)
    except ssl.SSLError as error:
        raise TlsSetupError(part, f"the file {file} holds no certificate in PEM") from error


def _read(part: str, file: Path) -> bytes:
    if "-----BEGIN" in str(file):  # it may be a key, which is not to be shown
        raise TlsSetupError(part, "it must be the path of a file, not what is in it")
    try:
        return file.read_bytes()
    except OSError as error:
        raise TlsSetupError(part, f"the file {file} can't be read: {error.strerror}") from error
