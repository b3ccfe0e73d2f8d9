"""Whether what a history shows is what was promised."""

from itertools import chain

from tests.chaos.checking.ledger import open_ledger
from tests.chaos.checking.letters import check_letters
from tests.chaos.checking.order import check_order
from tests.chaos.checking.publishing import check_publishing
from tests.chaos.checking.queues import check_queues
from tests.chaos.checking.requests import check_requests
from tests.chaos.checking.slots import check_slots
from tests.chaos.checking.states import check_states
from tests.chaos.checking.violations import Violation, ViolationKind
from tests.chaos.history import History

__all__ = ["Violation", "ViolationKind", "check"]


def check(history: History) -> list[Violation]:
    """All that does not hold at the end, when everything has become quiet; nothing twice.

    The time that it takes grows with the length of the history, not with its square.
    """
    ledger = open_ledger(history)
    found = chain(
        ledger.faults,
        check_requests(history, ledger),
        check_publishing(history, ledger),
        check_states(history, ledger),
        check_slots(history, ledger),
        check_order(history, ledger),
        check_letters(history, ledger),
        check_queues(history.queues),
    )
    return list(dict.fromkeys(found))
