"""What a server of one's own speaks TLS with."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """PEM texts: the CA of clients' certificates, and the server's own certificate and key.

    A client without a certificate of that CA is not let in, unless ``demands_certificates`` is
    false.
    """

    ca: bytes
    certificate: bytes
    key: bytes = field(repr=False)
    demands_certificates: bool = True
