"""What a batch's transaction has to load, before any of its messages is looked at."""

from consumer.wire.requests import Reading, Request
from persistence.demands import Demand

# What old clients tell, whose failed flow runs let their failed task runs await a retry too.
_API_VERSION = "api-version"


def demand(reading: Reading, *, creating: bool = True) -> Demand:
    """What one message needs loaded; with ``creating``, its run is made where it is unknown."""
    envelope = reading.envelope
    if not isinstance(reading, Request):
        return Demand(
            request_id=envelope.request_id,
            attempt=envelope.claimed_attempt,
            from_ladder=envelope.sent_round,
        )
    proposed = reading.body.state
    return Demand(
        run_id=reading.run_id,
        kind=reading.kind,
        create=reading.body.new_run if creating else None,
        request_id=reading.request_id,
        attempt=envelope.claimed_attempt,
        from_ladder=envelope.sent_round,
        cache_key=proposed.state_details.cache_key if proposed else None,
        proposes=proposed.type if proposed else None,
        forces_task_runs=_API_VERSION in reading.body.parameters,
    )
