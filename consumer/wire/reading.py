"""From a delivery to a request, or to the reason why it is none. Nothing raises out of here."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256

from pydantic import ValidationError

from consumer.broker.messages import Delivery
from consumer.wire.body import RequestBody
from consumer.wire.i_json import NotInteroperableError, check_i_json
from consumer.wire.names import (
    JSON_CONTENT_TYPE,
    MAX_REQUEST_ID_CHARACTERS,
    MAX_TRACE_CHARACTERS,
    REQUEST_TYPE,
    TRACE_HEADERS,
    Header,
)
from consumer.wire.problems import sentence
from consumer.wire.requests import Envelope, Reading, Request, Unreadable

MAX_ATTEMPT = 2**31 - 2
_PLAIN_ENCODINGS = frozenset({"", "identity", "utf-8", "utf8"})


class _RefusedError(Exception):
    """Why a message is no request."""


@dataclass(frozen=True, slots=True)
class RequestReader:
    """Reads deliveries; ``reply_patterns`` are shell globs, case matters."""

    max_body_bytes: int
    reply_patterns: tuple[str, ...]

    def read(self, delivery: Delivery) -> Reading:
        """The request in the delivery, or why there is none."""
        envelope = self._envelope(delivery)
        if envelope.request_id is None:
            return Unreadable(envelope=envelope, reason=_why_no_request_id(delivery))
        try:
            self._check_properties(delivery)
            body = _parse(delivery.body)
        except _RefusedError as refused:
            return Unreadable(envelope=envelope, reason=str(refused))
        return Request(envelope=envelope, request_id=envelope.request_id, body=body)

    def _envelope(self, delivery: Delivery) -> Envelope:
        properties = delivery.properties
        headers = properties.headers
        request_id = properties.message_id if _is_request_id(properties.message_id) else None
        reply_to = properties.reply_to or None
        permitted = reply_to is not None and any(
            fnmatchcase(reply_to, pattern) for pattern in self.reply_patterns
        )
        return Envelope(
            delivery=delivery,
            request_id=request_id,
            correlation_id=properties.correlation_id or request_id,
            digest=sha256(delivery.body).digest(),
            claimed_attempt=_claimed_attempt(headers.get(Header.ATTEMPT)),
            sent_round=Header.REQUEST_ID in headers,
            reply_to=reply_to if permitted else None,
            reply_refused=reply_to is not None and not permitted,
            trace={name: headers[name] for name in TRACE_HEADERS if _is_trace(headers.get(name))},
        )

    def _check_properties(self, delivery: Delivery) -> None:
        properties = delivery.properties
        if properties.type not in {None, "", REQUEST_TYPE}:
            raise _RefusedError(f"the type {properties.type!r} is not {REQUEST_TYPE}")
        content_type = (properties.content_type or JSON_CONTENT_TYPE).partition(";")[0]
        if content_type.strip().lower() != JSON_CONTENT_TYPE:
            raise _RefusedError(f"the content type {content_type!r} is not {JSON_CONTENT_TYPE}")
        encoding = (properties.content_encoding or "").lower()
        if encoding not in _PLAIN_ENCODINGS:
            raise _RefusedError(f"the content encoding {encoding!r} is not read, send plain UTF-8")
        if len(delivery.body) > self.max_body_bytes:
            raise _RefusedError(
                f"the body has {len(delivery.body)} bytes, at most {self.max_body_bytes} are read"
            )


def _why_no_request_id(delivery: Delivery) -> str:
    if delivery.raw_header is not None:
        return "the message's properties cannot be decoded"
    if not delivery.properties.message_id:
        return "the message_id is missing, which is the request's id"
    return f"the message_id must have 1 to {MAX_REQUEST_ID_CHARACTERS} characters and no NUL"


def _is_request_id(value: str | None) -> bool:
    return value is not None and 0 < len(value) <= MAX_REQUEST_ID_CHARACTERS and "\0" not in value


def _is_trace(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_TRACE_CHARACTERS


def _claimed_attempt(value: object) -> int:
    return value if isinstance(value, int) and 0 < value <= MAX_ATTEMPT else 0


def _parse(raw: bytes) -> RequestBody:
    try:
        body = RequestBody.model_validate_json(raw, strict=True)
        check_i_json(raw)
    except ValidationError as error:
        raise _RefusedError(sentence(error)) from None
    except NotInteroperableError as error:
        raise _RefusedError(str(error)) from None
    return body
