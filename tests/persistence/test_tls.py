"""Files for TLS that can't be used are told by the setting, in one line that shows no key."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from persistence.tls import TlsFiles, TlsSetupError, causes, tls_trouble
from tests.servers.certificates import Authority, Held

Spoil = Callable[[Path, Held], TlsFiles]
SETTING = "POINTSMAN_SERVER"


@pytest.fixture
def held(authority: Authority) -> Held:
    return authority.issue("client")


def written(folder: Path, text: str) -> Path:
    file = folder / "file.pem"
    file.write_text(text)
    return file


def encrypted(folder: Path, held: Held) -> Path:
    file = folder / "encrypted.key"
    key = load_pem_private_key(held.key.read_bytes(), None)
    protection = BestAvailableEncryption(b"passphrase")
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))
    return file


UNUSABLE: dict[str, tuple[str, str, Spoil]] = {
    "a CA that is missing": (
        "ca",
        "No such file",
        lambda folder, _: TlsFiles(ca=folder / "nowhere"),
    ),
    "a CA that is a folder": ("ca", "Is a directory", lambda folder, _: TlsFiles(ca=folder)),
    "a CA that is empty": (
        "ca",
        "no certificate in PEM",
        lambda folder, _: TlsFiles(ca=written(folder, "")),
    ),
    "a CA that is no PEM": (
        "ca",
        "no certificate in PEM",
        lambda folder, _: TlsFiles(ca=written(folder, "hello")),
    ),
    "a CA that is damaged": (
        "ca",
        "no certificate in PEM",
        lambda folder, held: TlsFiles(
            ca=written(folder, held.certificate.read_text().replace("M", "N"))
        ),
    ),
    "a key in place of the CA": ("ca", "no certificate", lambda _, held: TlsFiles(ca=held.key)),
    "a key without a certificate": (
        "key",
        "no certificate to it",
        lambda _, held: TlsFiles(key=held.key),
    ),
    "a certificate that is missing": (
        "cert",
        "No such file",
        lambda folder, held: TlsFiles(cert=folder / "nowhere", key=held.key),
    ),
    "a certificate without its key": (
        "cert",
        "no private key in PEM; give its key a file",
        lambda _, held: TlsFiles(cert=held.certificate),
    ),
    "a key in place of the certificate": (
        "cert",
        "no certificate in PEM",
        lambda _, held: TlsFiles(cert=held.key, key=held.key),
    ),
    "a key that is missing": (
        "key",
        "No such file",
        lambda folder, held: TlsFiles(cert=held.certificate, key=folder / "nowhere"),
    ),
    "a certificate in place of the key": (
        "key",
        "no private key in PEM",
        lambda _, held: TlsFiles(cert=held.certificate, key=held.certificate),
    ),
    "a key that is damaged": (
        "key",
        "can't be read",
        lambda folder, held: TlsFiles(
            cert=held.certificate, key=written(folder, held.key.read_text().replace("M", "N"))
        ),
    ),
    "a key with a passphrase": (
        "key",
        "has a passphrase",
        lambda folder, held: TlsFiles(cert=held.certificate, key=encrypted(folder, held)),
    ),
    "the key itself in place of its path": (
        "key",
        "must be the path",
        lambda _, held: TlsFiles(cert=held.certificate, key=Path(held.key.read_text())),
    ),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_file_that_can_not_be_used_is_told_by_its_setting(
    tmp_path: Path, held: Held, case: str
) -> None:
    part, told, spoil = UNUSABLE[case]

    with pytest.raises(TlsSetupError, match=told) as caught:
        spoil(tmp_path, held).check()

    assert caught.value.part == part
    assert "\n" not in str(caught.value)
    assert held.key.read_text().splitlines()[1] not in str(caught.value)


def test_a_key_of_another_certificate_is_told(authority: Authority, held: Held) -> None:
    other = authority.issue("other")

    with pytest.raises(TlsSetupError, match="is not the certificate's") as caught:
        TlsFiles(cert=held.certificate, key=other.key).check()

    assert caught.value.part == "key"


def test_a_certificate_can_have_its_key_in_its_own_file(tmp_path: Path, held: Held) -> None:
    both = written(tmp_path, held.certificate.read_text() + held.key.read_text())

    TlsFiles(cert=both).check()


def test_only_the_cas_that_are_named_are_trusted(authority: Authority) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    TlsFiles(ca=authority.file).load_into(context)

    assert len(context.get_ca_certs()) == 1


def failure(reason: str) -> OSError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    lost = ConnectionError("the connection is gone")
    lost.__cause__ = error
    return lost


@pytest.mark.parametrize(
    ("reason", "cause", "remedy"),
    [
        ("WRONG_VERSION_NUMBER", "does not speak TLS", "POINTSMAN_SERVER_URL"),
        ("RECORD_LAYER_FAILURE", "does not speak TLS", "POINTSMAN_SERVER_URL"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "demands a client's", "POINTSMAN_SERVER_CERT"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "demands a client's", "POINTSMAN_SERVER_CERT"),
        ("TLSV1_ALERT_UNKNOWN_CA", "does not accept our", "POINTSMAN_SERVER_CERT"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", "does not accept our", "POINTSMAN_SERVER_CERT"),
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "does not accept our", "POINTSMAN_SERVER_CERT"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "TLS failed: tlsv1 alert", "the server's log"),
        ("UNEXPECTED_EOF_WHILE_READING", "TLS failed: unexpected eof", "the server's log"),
    ],
)
def test_a_failure_is_told_with_what_helps(reason: str, cause: str, remedy: str) -> None:
    trouble = tls_trouble(failure(reason), SETTING)

    assert trouble is not None
    assert cause in trouble.cause
    assert remedy in trouble.remedy


def test_an_error_about_something_else_says_nothing_of_tls() -> None:
    assert tls_trouble(ConnectionRefusedError("nobody there"), SETTING) is None


def test_errors_in_a_ring_are_each_looked_at_once() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one

    assert list(causes(one)) == [one, other]
