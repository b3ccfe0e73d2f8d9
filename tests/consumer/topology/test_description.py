import pytest

from consumer.topology.description import describe
from consumer.topology.values import ExchangeType
from tests.consumer.topology.simulation import Arrival, Simulation

PARTITIONS = [1, 8, 256]


@pytest.mark.parametrize("partitions", PARTITIONS)
def test_every_slot_goes_to_its_own_partition_and_nowhere_else(partitions: int) -> None:
    simulation = Simulation(describe(partitions))

    for number in range(256):
        assert simulation.publish("pointsman.requests", f"{number:02x}") == [
            Arrival(f"pointsman.requests.{number % partitions}", 0)
        ]


@pytest.mark.parametrize("routing_key", ["AB", "", "0", "100", "ab.cd", "anything"])
def test_a_request_with_a_key_that_is_no_slot_goes_to_the_first_partition(routing_key: str) -> None:
    arrivals = Simulation(describe(8)).publish("pointsman.requests", routing_key)

    assert arrivals == [Arrival("pointsman.requests.0", 0)]


def test_what_comes_back_for_a_partition_that_is_no_more_becomes_a_dead_letter() -> None:
    arrivals = Simulation(describe(8)).publish("pointsman.delay.deliver", "0.1.8")

    assert arrivals == [Arrival("pointsman.dead-letters", 0)]


@pytest.mark.parametrize("partitions", [0, -1, 257])
def test_there_are_1_to_256_partitions(partitions: int) -> None:
    with pytest.raises(ValueError, match="1 to 256"):
        describe(partitions)


def test_the_exchanges_are_those_of_the_contract() -> None:
    exchanges = {exchange.name: exchange for exchange in describe(8).exchanges}

    fixed = {
        name: (exchange.type, dict(exchange.arguments))
        for name, exchange in exchanges.items()
        if not name.removeprefix("pointsman.delay.").isdigit()
    }
    assert fixed == {
        "pointsman.requests": (ExchangeType.DIRECT, {"alternate-exchange": "pointsman.unrouted"}),
        "pointsman.unrouted": (ExchangeType.FANOUT, {}),
        "pointsman.decisions": (ExchangeType.TOPIC, {}),
        "pointsman.dead-letters": (ExchangeType.FANOUT, {}),
        "pointsman.delay.deliver": (
            ExchangeType.TOPIC,
            {"alternate-exchange": "pointsman.dead-letters"},
        ),
    }
    assert {name: exchanges[name].type for name in exchanges.keys() - fixed.keys()} == {
        f"pointsman.delay.{level}": ExchangeType.TOPIC for level in range(28)
    }


def test_a_partitions_queue_has_the_arguments_of_the_contract() -> None:
    queues = {queue.name: queue.arguments for queue in describe(3).queues}

    for partition in range(3):
        assert queues[f"pointsman.requests.{partition}"] == {
            "x-queue-type": "quorum",
            "x-single-active-consumer": True,
            "x-delivery-limit": 1000,
            "x-dead-letter-exchange": "pointsman.dead-letters",
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
    assert "pointsman.requests.3" not in queues


def test_the_dead_letters_queue_has_a_limit_that_no_count_of_deliveries_reaches() -> None:
    queues = {queue.name: queue.arguments for queue in describe(8).queues}

    assert queues["pointsman.dead-letters"] == {
        "x-queue-type": "quorum",
        "x-delivery-limit": 2147483647,
    }


def test_every_queue_is_a_quorum_queue_with_a_name_of_its_own() -> None:
    topology = describe(256)

    assert {queue.arguments["x-queue-type"] for queue in topology.queues} == {"quorum"}
    assert len({queue.name for queue in topology.queues}) == len(topology.queues)
