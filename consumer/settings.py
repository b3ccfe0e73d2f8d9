"""What is set from outside, by environment variables with the prefix ``POINTSMAN_`` or by files.

Read once, where a program starts, and passed down from there in small parts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from consumer.broker.address import BrokerAddress
from consumer.errors import SettingsError
from consumer.secret_files import SecretFiles
from persistence.address import DatabaseAddress
from persistence.engine import check_tls
from persistence.errors import InvalidDatabaseUrlError
from persistence.tls import TlsFiles, TlsSetupError

PREFIX = "POINTSMAN_"
_ESCAPED = "in a password, @ is written as %40, / as %2F, ? as %3F and # as %23"
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
    amqp_ca: Path | None = None
    amqp_cert: Path | None = None
    amqp_key: Path | None = None
    database_url: SecretStr = Field(default_factory=lambda: SecretStr(default_database_url()))
    database_ca: Path | None = None
    database_cert: Path | None = None
    database_key: Path | None = None
    partitions: int = Field(default=8, ge=1, le=256)
    prefetch: int = Field(default=128, ge=1, le=65_535)
    batch_size: int = Field(default=200, ge=1, le=10_000)
    task_policy: str = "rules.policies:CoreTaskPolicy"
    flow_policy: str = "rules.policies:CoreFlowPolicy"
    processing_seconds: float = Field(default=30, gt=0, le=3_600)
    slot_delay_seconds: int = Field(default=30, ge=1, le=2**28 - 1)
    max_failures: int = Field(default=5, ge=0, le=1_000)
    remember_days: int = Field(default=7, ge=1, le=3_650)
    max_body_bytes: int = Field(default=1_048_576, ge=1, le=134_217_728)
    reply_to_pattern: Names = ("amq.rabbitmq.reply-to.*", "amq.gen-*", "pointsman.replies.*")
    force_users: Names = ()
    log_format: LogFormat = LogFormat.AUTO
    log_level: LogLevel = LogLevel.INFO
    http_host: str = Field(default="127.0.0.1", min_length=1)
    http_port: int = Field(default=8080, ge=0, le=65_535)
    shutdown_seconds: float = Field(default=30, gt=0, le=3_600)
    secrets_dir: Path | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        *unused: PydanticBaseSettingsSource,
        **unused_by_name: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, and that over files."""
        del unused, unused_by_name
        return init_settings, env_settings, SecretFiles(settings_cls)

    @classmethod
    def from_environment(cls, **overrides: Any) -> Self:
        """Read the environment and secret files, and see that the files for TLS can be used.

        Raises:
            SettingsError: a value cannot be used; the text names each such setting and why.
        """
        try:
            settings = cls(**overrides)
        except ValidationError as error:
            wrong = "; ".join(
                f"{PREFIX}{str(detail['loc'][0]).upper()}: {_sentence(detail['msg'])}"
                for detail in error.errors(include_url=False, include_input=False)
            )
            raise SettingsError(wrong) from None
        with _blamed_on("AMQP"):
            settings.broker.tls_context()
        with _blamed_on("DATABASE"):
            check_tls(settings.database)
        return settings

    @property
    def broker(self) -> BrokerAddress:
        """Where the broker is, and how TLS is spoken with it."""
        files = TlsFiles(ca=self.amqp_ca, cert=self.amqp_cert, key=self.amqp_key)
        return BrokerAddress(self.amqp_url.get_secret_value(), files)

    @property
    def database(self) -> DatabaseAddress:
        """The same of the database."""
        files = TlsFiles(ca=self.database_ca, cert=self.database_cert, key=self.database_key)
        return DatabaseAddress(self.database_url.get_secret_value(), files)

    @field_validator(
        *("amqp_ca", "amqp_cert", "amqp_key", "database_ca", "database_cert", "database_key"),
        "secrets_dir",
        mode="before",
    )
    @classmethod
    def _no_file(cls, value: object) -> object:
        return value or None

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
        try:
            _ = BrokerAddress(value.get_secret_value()).target
        except ValueError:  # its text may hold the password
            raise ValueError(
                f"must be a URL like amqp://user:password@host:5672/vhost; {_ESCAPED}"
            ) from None
        return value

    @field_validator("database_url")
    @classmethod
    def _database_scheme(cls, value: SecretStr) -> SecretStr:
        _check_database_url(value.get_secret_value())
        return value


@contextmanager
def _blamed_on(server: str) -> Iterator[None]:
    try:
        yield
    except TlsSetupError as error:
        raise SettingsError(f"{PREFIX}{server}_{error.part.upper()}: {error}") from error
    except InvalidDatabaseUrlError as error:
        raise SettingsError(str(error)) from error


def _check_database_url(url: str) -> None:
    try:
        parts, host = urlsplit(url), make_url(url).host or ""
        usable = parts.scheme in _DATABASE_SCHEMES and parts.port != 0 and "@" not in host
    except (ValueError, ArgumentError):
        usable = False
    if not usable:
        raise ValueError(
            "must be a URL like postgresql+asyncpg://user:password@host/database"
            f" or sqlite+aiosqlite:///path; {_ESCAPED}"
        )


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")
