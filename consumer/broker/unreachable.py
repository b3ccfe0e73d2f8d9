"""Why there is no connection to the broker, in words for a person."""

import asyncio
import ssl

from yarl import URL

from consumer.broker.address import BrokerAddress
from consumer.broker.errors import BrokerError, BrokerRefused, BrokerUnreachable
from persistence.tls import TlsSetupError, Trouble, causes, hung_up, tls_trouble

_SETTING = "POINTSMAN_AMQP"
_URL = f"{_SETTING}_URL"
_IS_IT_THERE = f"see that it runs and that {_URL} names it"


async def prepared(address: BrokerAddress) -> tuple[URL, ssl.SSLContext | None]:
    """The address as a client library takes it; files are read in a thread.

    Raises:
        BrokerUnreachable: the URL is none, or what is set for TLS can't be used.
    """
    try:
        return address.target, await asyncio.to_thread(address.tls_context)
    except ValueError:  # its text would hold the password
        raise BrokerUnreachable(f"{_URL} is not a URL; give amqp://user:password@host") from None
    except TlsSetupError as error:
        raise BrokerUnreachable(f"{_SETTING}_{error.part.upper()}: {error}") from error


def silent(address: BrokerAddress, seconds: float) -> BrokerUnreachable:
    """Nothing was heard for so many seconds."""
    return BrokerUnreachable(
        f"no answer from the broker at {address.place} within {seconds:g} s; {_IS_IT_THERE}"
    )


def unreachable(address: BrokerAddress, error: Exception, refusal: str | None) -> BrokerError:
    """The error to raise for the client library's; ``refusal`` is what the broker said."""
    if refusal is not None:
        return BrokerRefused(
            f"the broker at {address.place} refused the connection: {refusal};"
            f" check user, password and virtual host in {_URL}"
        )
    trouble = _trouble(address, error) or Trouble(_cause(error), _IS_IT_THERE)
    return BrokerUnreachable(
        f"can't reach the broker at {address.place}: {trouble.cause}; {trouble.remedy}"
    )


def _trouble(address: BrokerAddress, error: Exception) -> Trouble | None:
    found = tls_trouble(error, _SETTING)
    if found is not None:
        return found
    was_there = any(isinstance(each, ConnectionResetError | EOFError) for each in causes(error))
    if not was_there:
        return None
    if address.target.scheme == "amqps":
        return hung_up(_SETTING)
    return Trouble(
        f"it hung up: {_cause(error)}",
        f"see that it speaks AMQP there; where it speaks TLS, let {_URL} begin with amqps://",
    )


def _cause(error: Exception) -> str:
    if not isinstance(error, OSError):
        return "what answers there does not speak AMQP 0-9-1"
    return str(error.args[-1]) if error.args else type(error).__name__
