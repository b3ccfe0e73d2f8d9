"""What a broker of one's own is configured with, wherever it runs."""

from deploy.servers.tls import ServerTls

ENABLED_PLUGINS = "[rabbitmq_management, rabbitmq_auth_mechanism_ssl].\n"

# The collector of statistics stays off: the API is only used for what it changes, and
# measurements are not to pay for it.
SETTINGS = """\
loopback_users = none
disk_free_limit.absolute = 64MB
log.file = false
log.console = true
log.console.level = info
management_agent.disable_metrics_collector = true
"""

CA, CERTIFICATE, KEY = "ca.pem", "certificate.pem", "key.pem"


def tls_settings(listener: str, folder: str, tls: ServerTls) -> str:
    """What a listener for TLS is configured with, its files being in the folder.

    Who has a certificate for a user's name can log in as that user without a password.
    """
    return (
        f"listeners.ssl.1 = {listener}\n"
        f"ssl_options.cacertfile = {folder}/{CA}\n"
        f"ssl_options.certfile = {folder}/{CERTIFICATE}\n"
        f"ssl_options.keyfile = {folder}/{KEY}\n"
        "ssl_options.verify = verify_peer\n"
        f"ssl_options.fail_if_no_peer_cert = {str(tls.demands_certificates).lower()}\n"
        "auth_mechanisms.1 = PLAIN\n"
        "auth_mechanisms.2 = EXTERNAL\n"
        "ssl_cert_login_from = common_name\n"
    )


def tls_files(tls: ServerTls) -> dict[str, bytes]:
    """The files by their names."""
    return {CA: tls.ca, CERTIFICATE: tls.certificate, KEY: tls.key}
