"""Why there is no connection to a database, in words for a person."""

from asyncpg import ClientConfigurationError, InvalidAuthorizationSpecificationError
from asyncpg import ConnectionDoesNotExistError as ConnectionEnded
from sqlalchemy.exc import DBAPIError

from persistence.errors import DatabaseUnreachable
from persistence.tls import (
    TlsFiles,
    TlsSetupError,
    Trouble,
    causes,
    certificate_demanded,
    hung_up,
    tls_trouble,
)

_SETTING = "POINTSMAN_DATABASE"
# What is told by its words alone; without a cause of its own, those are the cause.
_SAID = (
    (
        InvalidAuthorizationSpecificationError,
        "client certificate",
        certificate_demanded(_SETTING),
    ),
    (
        InvalidAuthorizationSpecificationError,
        "no encryption",
        Trouble(
            "",
            "let its pg_hba.conf have an entry for this user, or, where there is one for TLS,"
            f" name the server's CA in {_SETTING}_CA",
        ),
    ),
    (
        ConnectionError,
        "rejected SSL upgrade",
        Trouble(
            "it does not speak TLS",
            f"switch that on in the server, or ask for less by '?ssl=' in {_SETTING}_URL",
        ),
    ),
    (
        ClientConfigurationError,
        "root certificate",
        Trouble(
            "there is no CA to check its certificate by", f"name the file of one in {_SETTING}_CA"
        ),
    ),
)


def unreachable(place: str, error: BaseException, files: TlsFiles) -> DatabaseUnreachable:
    """The error to raise for what the driver says when it can't connect."""
    trouble = _trouble(error, files)
    if trouble is not None:
        return DatabaseUnreachable(place, trouble.cause, trouble.remedy)
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return DatabaseUnreachable(place, _first_line(cause) or type(cause).__name__)


def _trouble(error: BaseException, files: TlsFiles) -> Trouble | None:
    """What is wrong with TLS, None where something else is."""
    try:
        files.check()  # they may have been taken away since the start
    except TlsSetupError as wrong:
        return Trouble(str(wrong), f"see {_SETTING}_{wrong.part.upper()}")
    found = tls_trouble(error, _SETTING) or _said(error)
    if found is None and files.given and any(map(_is_end, causes(error))):
        return hung_up(_SETTING)
    return found


def _is_end(error: BaseException) -> bool:
    return isinstance(error, ConnectionEnded | ConnectionResetError)


def _said(error: BaseException) -> Trouble | None:
    """The first of what is known that stands in the error, or in one that it came from."""
    chain = [(each, _first_line(each)) for each in causes(error)]
    for kind, words, trouble in _SAID:
        for each, text in chain:
            if isinstance(each, kind) and words in text:
                return trouble._replace(cause=trouble.cause or text)
    return None


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0].strip()
