"""What goes wrong in the engine; storage's own errors pass through it as they are."""


class RulesError(Exception):
    """The root of the engine's errors."""


class AlreadyValidatedError(RulesError):
    """A rule wanted to change a proposal that had been validated and written."""

    def __init__(self, rule: str) -> None:
        super().__init__(f"{rule} can change the proposal only before it is validated")
        self.rule = rule


class StatelessRejectionError(RulesError):
    """A rule rejected without another state, and the run has none to keep."""

    def __init__(self, rule: str) -> None:
        super().__init__(f"{rule} rejected without a state, and the run has none to keep")
        self.rule = rule


class MissingScheduledTimeError(RulesError):
    """A SCHEDULED state bears no scheduled time."""

    def __init__(self) -> None:
        super().__init__("the run is SCHEDULED, but its state bears no scheduled time")
