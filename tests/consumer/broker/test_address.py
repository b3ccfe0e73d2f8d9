"""By which files TLS is spoken with the broker, and what its URL has to say on it."""

import ssl
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest

from consumer.broker.address import BrokerAddress
from persistence.tls import TlsFiles, TlsSetupError
from tests.servers.certificates import Authority, Held

SECURE, PLAIN = "amqps://user:s3cret@host/", "amqp://user:s3cret@host/"


@pytest.fixture
def held(authority: Authority) -> Held:
    return authority.issue("client")


def context(url: str, files: TlsFiles | None = None) -> ssl.SSLContext:
    made = BrokerAddress(url, files or TlsFiles()).tls_context()
    assert made is not None
    return made


def refusal(url: str, files: TlsFiles | None = None) -> tuple[str, str]:
    with pytest.raises(TlsSetupError) as caught:
        BrokerAddress(url, files or TlsFiles()).tls_context()
    assert "s3cret" not in str(caught.value)
    return caught.value.part, str(caught.value)


def test_amqp_is_spoken_without_tls() -> None:
    assert BrokerAddress(PLAIN).tls_context() is None


def test_the_system_s_cas_are_trusted_where_none_is_named() -> None:
    trusted = context(SECURE)
    system = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    system.load_default_certs()

    assert trusted.cert_store_stats() == system.cert_store_stats()


def test_certificate_and_host_are_checked_and_old_versions_are_not_spoken(
    authority: Authority,
) -> None:
    for made in (context(SECURE), context(SECURE, TlsFiles(ca=authority.file))):
        assert made.verify_mode is ssl.CERT_REQUIRED
        assert made.check_hostname
        assert made.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_where_a_ca_is_named_no_other_is_trusted(authority: Authority) -> None:
    der = authority.file.read_text().split("-----")[2].replace("\n", "")
    for made in (
        context(SECURE, TlsFiles(ca=authority.file)),
        context(f"{SECURE}?cafile={quote(str(authority.file))}"),
        context(f"{SECURE}?cadata={quote(der)}"),
    ):
        assert len(made.get_ca_certs()) == 1


def test_a_folder_of_cas_in_the_url_takes_the_place_of_the_system_s(tmp_path: Path) -> None:
    assert context(f"{SECURE}?capath={tmp_path}").cert_store_stats()["x509_ca"] == 0


@pytest.mark.parametrize("value", ["1", "true", "false", ""])
def test_a_url_can_not_switch_the_checks_off(value: str) -> None:
    part, told = refusal(f"{SECURE}?no_verify_ssl={value}")

    assert (part, "'no_verify_ssl' is refused" in told) == ("url", True)


def test_a_url_can_ask_for_the_checks() -> None:
    assert context(f"{SECURE}?no_verify_ssl=0").check_hostname


@pytest.mark.parametrize("part", ["ca", "cert", "key"])
def test_a_file_that_amqp_has_no_use_for_is_refused(authority: Authority, part: str) -> None:
    named, told = refusal(PLAIN, TlsFiles(**{part: authority.file}))

    assert (named, "amqps://" in told) == (part, True)


@pytest.mark.parametrize("option", ["cafile", "capath", "cadata", "certfile", "keyfile"])
def test_an_option_that_amqp_has_no_use_for_is_refused(option: str) -> None:
    named, told = refusal(f"{PLAIN}?{option}=x")

    assert named == "url"
    assert f"'{option}' has no effect" in told


def test_what_is_set_twice_is_refused(authority: Authority, held: Held) -> None:
    files = TlsFiles(ca=authority.file, cert=held.certificate, key=held.key)

    for option, part in (("cafile", "ca"), ("capath", "ca"), ("certfile", "cert")):
        named, told = refusal(f"{SECURE}?{option}=x", files)
        assert (named, repr(option) in told) == (part, True)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("cafile=/nowhere", "/nowhere can't be read"),
        ("certfile=/nowhere", "/nowhere can't be read"),
        ("keyfile=/nowhere", "no certificate to it"),
        (f"cadata={b64encode(b'junk').decode()}", "CAs can't be read"),
        ("cadata=x", "CAs can't be read"),
    ],
)
def test_a_file_in_the_url_that_can_not_be_used_is_the_url_s_fault(query: str, told: str) -> None:
    named, sentence = refusal(f"{SECURE}?{query}")

    assert named == "url"
    assert told in sentence


def test_a_setting_s_file_is_the_setting_s_fault() -> None:
    assert refusal(SECURE, TlsFiles(ca=Path("/nowhere")))[0] == "ca"


@pytest.mark.parametrize(
    "url", ["", "amqp://", "http://host/", "amqp://user:s3cret@host:port/", "amqp://host:0/"]
)
def test_what_is_no_broker_s_url_has_no_parts(url: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        _ = BrokerAddress(url).target

    assert "s3cret" not in str(caught.value)


def test_an_address_does_not_show_its_url() -> None:
    assert "s3cret" not in repr(BrokerAddress(SECURE))
