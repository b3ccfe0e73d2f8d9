"""What is set, without what is secret, and whether it can be used."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from sqlalchemy import make_url
from yarl import URL

from consumer.checking.findings import Finding
from consumer.errors import SettingsError
from consumer.policies import load_policy
from consumer.settings import PREFIX, Settings
from consumer.unknown_settings import unknown_settings

MASK = "***"

_SHOWN_OPTIONS = frozenset(
    {
        *("auth", "cafile", "capath", "certfile", "heartbeat", "keyfile", "name", "timeout"),
        *("host", "krbsrvname", "port", "ssl", "target_session_attrs", "user"),
        *("gsslib", "passfile", "prepared_statement_cache_size"),
    }
)


def settings_in_effect(settings: Settings) -> dict[str, Any]:
    """Each setting's value by its name, passwords masked."""
    plain = settings.model_dump(exclude={"amqp_url", "database_url"}, mode="json")
    shown = {
        "amqp_url": masked_broker_url(settings.amqp_url.get_secret_value()),
        "database_url": masked_database_url(settings.database_url.get_secret_value()),
    }
    return {f"{PREFIX}{name.upper()}": (shown | plain)[name] for name in Settings.model_fields}


def masked_broker_url(url: str) -> str:
    """The URL without its password; of options, only those that hold no secret are shown."""
    made = URL(url)
    if made.password:
        made = made.with_password(MASK)
    if hidden := made.query.keys() - _SHOWN_OPTIONS:
        made = made.update_query(dict.fromkeys(hidden, MASK))
    return str(made)


def masked_database_url(url: str) -> str:
    """The same of a database's, which may have its password among the options."""
    made = make_url(url)
    if hidden := made.query.keys() - _SHOWN_OPTIONS:
        made = made.update_query_dict(dict.fromkeys(hidden, MASK))
    return made.render_as_string(hide_password=True).replace(quote(MASK), MASK)


def check_environment(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether all that is set is known, and whether the policies can be imported."""
    unknown = unknown_settings(environment)
    told = tuple(each.sentence for each in unknown)
    yield Finding(
        "settings",
        ok=not unknown,
        lines=told or ("every variable that is set is known",),
        details={
            "in_effect": settings_in_effect(settings),
            "unknown": [{"name": each.name, "did_you_mean": each.likeness} for each in unknown],
        },
    )
    yield _policies(settings)


def _policies(settings: Settings) -> Finding:
    named = {"task": settings.task_policy, "flow": settings.flow_policy}
    problems = []
    for kind, path in named.items():
        try:
            load_policy(path, f"{PREFIX}{kind.upper()}_POLICY")
        except SettingsError as error:
            problems.append(str(error))
    lines = tuple(problems) or tuple(f"{kind} runs: {path}" for kind, path in named.items())
    return Finding("policies", ok=not problems, lines=lines, details=named | {"problems": problems})
