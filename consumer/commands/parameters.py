"""Types of arguments and options: what no request and no query can hold is a usage error."""

import re
from collections.abc import Mapping
from datetime import timedelta
from math import isnan
from typing import Any, ClassVar
from uuid import UUID

import click
from pydantic_core import from_json

from consumer.wire.body import MAX_TAG_LENGTH
from rules.identifiers import uuid7

NEW = "new"
CENTURY_SECONDS = 36_525 * 86_400
"""The furthest that a time is taken away from now."""

MOST = 2**31 - 1
"""The largest whole number that every database takes."""

_MAX_REQUEST_ID_BYTES = 255  # of a short string in AMQP


class Number(click.FloatRange):
    """A number in a range, both ends included; "nan", which is in none, is refused too."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number in the text."""
        number: float = super().convert(value, param, ctx)
        if isnan(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return number


class Age(click.ParamType[timedelta]):
    """A span until now: a number of seconds, minutes, hours or days; of hours without a unit."""

    name = "age"
    _FORM: ClassVar = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)", re.ASCII)
    _SECONDS: ClassVar[Mapping[str, int]] = {"s": 1, "m": 60, "h": 3_600, "": 3_600, "d": 86_400}

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """The span in the text."""
        form = self._FORM.fullmatch(str(value))
        if form is None:
            self.fail(f"{value!r} is not an age such as 90s, 15m, 6h or 3d", param, ctx)
        seconds = float(form[1]) * self._SECONDS[form[2]]
        if seconds > CENTURY_SECONDS:
            self.fail(f"{value!r} is more than a hundred years", param, ctx)
        return timedelta(seconds=seconds)


class Json(click.ParamType[Any]):
    """Any JSON value."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The JSON value in the text."""
        try:
            return from_json(value, allow_inf_nan=False)
        except ValueError as error:
            self.fail(f"{value!r} is not JSON: {error}", param, ctx)


class JsonObject(Json):
    """A JSON object."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The JSON object in the text."""
        made = super().convert(value, param, ctx)
        if not isinstance(made, dict):
            self.fail(f"{value!r} is not a JSON object", param, ctx)
        return made


class RunId(click.ParamType[UUID]):
    """A UUID, or ``new`` for a new one."""

    name = "run id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> UUID:
        """The UUID in the text, a new one for ``new``."""
        if value == NEW:
            return uuid7()
        try:
            return UUID(str(value))
        except ValueError:
            self.fail(f"{value!r} is neither a UUID nor '{NEW}'", param, ctx)


class RequestId(click.ParamType[str]):
    """What a message_id can be."""

    name = "request id"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The id as it is."""
        if not 0 < len(value.encode(errors="replace")) <= _MAX_REQUEST_ID_BYTES:
            self.fail(f"a request's id has 1 to {_MAX_REQUEST_ID_BYTES} bytes", param, ctx)
        return value


class Tag(click.ParamType[str]):
    """A tag as task runs can have it."""

    name = "tag"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The tag as it is."""
        if not 0 < len(value) <= MAX_TAG_LENGTH:
            self.fail(f"a tag has 1 to {MAX_TAG_LENGTH} characters", param, ctx)
        return value
