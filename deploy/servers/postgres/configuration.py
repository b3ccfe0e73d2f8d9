"""What a server of one's own is configured with, wherever it runs."""

from collections.abc import Mapping

from deploy.servers.tls import ServerTls

CA, CERTIFICATE, KEY, ACCESS = "ca.pem", "certificate.pem", "key.pem", "pg_hba.conf"


def as_options(settings: Mapping[str, str]) -> list[str]:
    """Settings as the server's command takes them."""
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def tls_settings(folder: str) -> dict[str, str]:
    """The server's settings, its files being in the folder."""
    return {
        "ssl": "on",
        "ssl_ca_file": f"{folder}/{CA}",
        "ssl_cert_file": f"{folder}/{CERTIFICATE}",
        "ssl_key_file": f"{folder}/{KEY}",
        "hba_file": f"{folder}/{ACCESS}",
    }


def tls_files(tls: ServerTls, *, tools: str) -> dict[str, bytes]:
    """The files by their names; ``tools`` is how the server's own tools may connect."""
    certificate = " clientcert=verify-ca" if tls.demands_certificates else ""
    access = f"{tools} trust\nhostssl all all all scram-sha-256{certificate}\n"
    return {CA: tls.ca, CERTIFICATE: tls.certificate, KEY: tls.key, ACCESS: access.encode()}
