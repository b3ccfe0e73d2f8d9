"""Where the worker gets the time from."""

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
