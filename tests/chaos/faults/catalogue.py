"""All faults by name."""

from collections.abc import Mapping

from tests.chaos.faults import broker, consumers, database, network
from tests.chaos.faults.fault import Fault

CATALOGUE: Mapping[str, Fault] = {
    fault.name: fault
    for fault in (*consumers.FAULTS, *broker.FAULTS, *database.FAULTS, *network.FAULTS)
}
