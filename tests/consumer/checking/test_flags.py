from consumer.broker.errors import BrokerConnectionLost, ChannelClosedByBroker
from consumer.checking.flags import what_it_means

NO_FLAG = (
    "the connection to the broker is gone: INTERNAL_ERROR - Cannot declare a queue 'queue"
    " 'pointsman.requests.probe' in vhost '/'' of type 'rabbit_stream_queue' on node"
    " 'rabbit@localhost': the corresponding feature flag is disabled"
)
"""As RabbitMQ 3.10.8 tells it, started with ``RABBITMQ_FEATURE_FLAGS=quorum_queue``."""


def test_without_the_flag_that_is_a_failure_and_what_to_do() -> None:
    finding = what_it_means(BrokerConnectionLost(NO_FLAG))
    assert (finding.ok, finding.details["stream_queue"]) == (False, False)
    assert "rabbitmqctl enable_feature_flag stream_queue" in finding.lines[0]


def test_with_the_flag_the_broker_only_says_that_no_stream_is_exclusive() -> None:
    refusal = ChannelClosedByBroker(406, "PRECONDITION_FAILED - invalid property 'exclusive-owner'")
    assert what_it_means(refusal).ok is True


def test_a_user_who_may_not_declare_learns_nothing() -> None:
    finding = what_it_means(ChannelClosedByBroker(403, "ACCESS_REFUSED"))
    assert (finding.ok, finding.details["stream_queue"]) == (None, None)
    assert "ACCESS_REFUSED" in finding.lines[0]
