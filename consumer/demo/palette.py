"""The colours of decisions and states."""

from types import MappingProxyType

from consumer.wire.decisions import Verdict
from rules.states import StateType

VERDICTS = MappingProxyType(
    {
        Verdict.ACCEPT: "green",
        Verdict.REJECT: "yellow",
        Verdict.DELAY: "cyan",
        Verdict.ABORT: "red",
    }
)

STATES = MappingProxyType(
    {
        None: "bright_black",
        StateType.SCHEDULED: "yellow",
        StateType.PENDING: "white",
        StateType.RUNNING: "bright_blue",
        StateType.PAUSED: "white",
        StateType.CANCELLING: "magenta",
        StateType.COMPLETED: "green",
        StateType.FAILED: "red",
        StateType.CANCELLED: "magenta",
        StateType.CRASHED: "red",
    }
)
