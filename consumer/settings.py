"""What is set from outside, by environment variables with the prefix ``POINTSMAN_``.

Read once, where a program starts, and passed down from there in small parts.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from consumer.errors import SettingsError

PREFIX = "POINTSMAN_"
_AMQP_SCHEMES = frozenset({"amqp", "amqps"})
_DATABASE_SCHEMES = frozenset({"postgresql+asyncpg", "sqlite+aiosqlite"})


class LogFormat(StrEnum):
    """How log events are written."""

    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"


class LogLevel(StrEnum):
    """The least severity that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def default_database_url() -> str:
    """A SQLite file in the user's data folder."""
    folder = Path(platformdirs.user_data_dir("pointsman", appauthor=False))
    return f"sqlite+aiosqlite:///{folder / 'pointsman.db'}"


Names = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """Every setting, checked; seconds and bytes are whole numbers unless said otherwise."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    amqp_url: SecretStr = SecretStr("amqp://guest:guest@127.0.0.1:5672/")
    database_url: SecretStr = Field(default_factory=lambda: SecretStr(default_database_url()))
    partitions: int = Field(default=8, ge=1, le=256)
    prefetch: int = Field(default=128, ge=1, le=65_535)
    batch_size: int = Field(default=200, ge=1, le=10_000)
    task_policy: str = "rules.policies:CoreTaskPolicy"
    flow_policy: str = "rules.policies:CoreFlowPolicy"
    processing_seconds: float = Field(default=30, gt=0, le=3_600)
    slot_delay_seconds: int = Field(default=30, ge=1, le=2**28 - 1)
    max_failures: int = Field(default=5, ge=0, le=1_000)
    max_body_bytes: int = Field(default=1_048_576, ge=1, le=134_217_728)
    reply_to_pattern: Names = ("amq.rabbitmq.reply-to.*", "amq.gen-*", "pointsman.replies.*")
    force_users: Names = ()
    log_format: LogFormat = LogFormat.AUTO
    log_level: LogLevel = LogLevel.INFO
    shutdown_seconds: float = Field(default=30, gt=0, le=3_600)

    @classmethod
    def from_environment(cls, **overrides: Any) -> Self:
        """Read the environment.

        Raises:
            SettingsError: a value cannot be used; the text names each such setting and why.
        """
        try:
            return cls(**overrides)
        except ValidationError as error:
            wrong = "; ".join(
                f"{PREFIX}{str(detail['loc'][0]).upper()}: {_sentence(detail['msg'])}"
                for detail in error.errors(include_url=False, include_input=False)
            )
            raise SettingsError(wrong) from None

    @field_validator("reply_to_pattern", "force_users", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(item.strip() for item in value.split(",") if item.strip())
        return value

    @field_validator("log_format", "log_level", mode="before")
    @classmethod
    def _fold_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("amqp_url")
    @classmethod
    def _amqp_scheme(cls, value: SecretStr) -> SecretStr:
        _check_url(value, _AMQP_SCHEMES, "amqp://user:password@host:5672/vhost")
        return value

    @field_validator("database_url")
    @classmethod
    def _database_scheme(cls, value: SecretStr) -> SecretStr:
        _check_url(
            value,
            _DATABASE_SCHEMES,
            "postgresql+asyncpg://user:password@host/database or sqlite+aiosqlite:///path",
        )
        return value


def _check_url(value: SecretStr, schemes: frozenset[str], example: str) -> None:
    try:
        parts = urlsplit(value.get_secret_value())
        usable = parts.scheme in schemes and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(f"must be a URL like {example}")


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")
