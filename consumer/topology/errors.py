"""What can go wrong with the topology; every message is one line that says what to do."""

from consumer.errors import PointsmanError

_ACCESS_REFUSED = 403
_PRECONDITION_FAILED = 406


class TopologyError(PointsmanError):
    """An exchange, a queue or a binding could not be declared. ``name`` is whose it is."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name


class ConflictingTopologyError(TopologyError):
    """What is there under the name differs from what is needed."""


class ForbiddenTopologyError(TopologyError):
    """The broker's user may not declare it."""


def topology_error(what: str, name: str, code: int, text: str) -> TopologyError:
    """What a broker's refusal to declare something means; ``what`` is its kind, in words."""
    if code == _PRECONDITION_FAILED:
        return ConflictingTopologyError(
            name,
            f"the {what} {name!r} exists and is made otherwise than Pointsman needs it"
            f" ({text}); move what it holds, delete it and declare again, or use another"
            " virtual host",
        )
    if code == _ACCESS_REFUSED:
        return ForbiddenTopologyError(
            name,
            f"the broker's user may not declare the {what} {name!r} ({text}); grant it the"
            " permissions on pointsman.*, or let another user run 'pointsman topology declare'",
        )
    return TopologyError(name, f"the {what} {name!r} could not be declared: {text}")
