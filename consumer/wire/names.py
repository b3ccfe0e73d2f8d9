"""Names on the wire, beside those of exchanges and queues: message types and our own headers."""

from enum import StrEnum
from typing import Final

REQUEST_TYPE: Final = "pointsman.request.v1"
DECISION_TYPE: Final = "pointsman.decision.v1"
JSON_CONTENT_TYPE: Final = "application/json"

TRACE_HEADERS: Final = ("traceparent", "tracestate")
MAX_TRACE_CHARACTERS: Final = 1_024
MAX_REQUEST_ID_CHARACTERS: Final = 255
MAX_ORIGINAL_BYTES: Final = 16_384


class Header(StrEnum):
    """Headers that Pointsman adds to a request that it sends round again."""

    REQUEST_ID = "pointsman-request-id"
    ATTEMPT = "pointsman-attempt"
    FAILURES = "pointsman-failures"
    ORIGINAL = "pointsman-original"


class DeadHeader(StrEnum):
    """Headers that a dead letter has besides."""

    ID = "pointsman-dead-id"
    REASON = "pointsman-dead-reason"
    ERROR_TYPE = "pointsman-dead-error-type"
    ERROR = "pointsman-dead-error"
    AT = "pointsman-dead-at"
    ATTEMPTS = "pointsman-dead-attempts"
    EXCHANGE = "pointsman-dead-exchange"
    ROUTING_KEY = "pointsman-dead-routing-key"
    CONSUMER = "pointsman-dead-consumer"


class Code(StrEnum):
    """Codes of decisions that are made around the rules; the rules have codes of their own."""

    INVALID = "invalid"
    ID_REUSED = "id-reused"
    FORBIDDEN = "forbidden"
    DEADLINE = "deadline"
    RUN_NOT_FOUND = "run-not-found"
    KIND_MISMATCH = "kind-mismatch"
    STALE = "stale"
    NOTHING_PROPOSED = "nothing-proposed"
    RULE_ERROR = "rule-error"
    NOT_WRITTEN = "not-written"
    FAILED = "failed"
