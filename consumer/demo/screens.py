"""Where a showing is shown."""

from contextlib import AbstractContextManager
from typing import Protocol

from rich.console import Console

from consumer.demo.journal import Entry
from consumer.demo.live_screen import LiveScreen
from consumer.demo.plain_screen import PlainScreen


class Screen(AbstractContextManager["Screen"], Protocol):
    """Shows decisions as they come, for as long as its block lasts."""

    def show(self, entry: Entry) -> None:
        """Show one more."""

    def refresh(self) -> None:
        """Let what moves with time move on."""


def screen_for(console: Console, headline: str) -> Screen:
    """A live table on a terminal, plain lines elsewhere."""
    if console.is_terminal and not console.is_dumb_terminal:
        return LiveScreen(console, headline)
    return PlainScreen(console, headline)
