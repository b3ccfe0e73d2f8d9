"""Errors that a person is told in one line."""


class PointsmanError(Exception):
    """Root of what stops a command; its text is one line that says what to do."""


class SettingsError(PointsmanError):
    """A setting has a value that cannot be used; the text names it."""
