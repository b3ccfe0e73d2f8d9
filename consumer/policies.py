"""The policies that settings name: users' own, or the Core ones."""

from importlib import import_module
from inspect import isabstract

from consumer.errors import SettingsError
from rules.policy import BaseOrchestrationPolicy


def load_policy(path: str, setting: str) -> type[BaseOrchestrationPolicy]:
    """Import a policy class.

    Args:
        path: ``package.module:Class``, or with a dot before the class.
        setting: the name of the setting that says so, for the error.

    Raises:
        SettingsError: there is no such module or name, importing it failed, or it is no policy.
    """
    module_name, _, name = path.replace(":", ".").rpartition(".")
    if not module_name:
        raise SettingsError(f"{setting}: {path!r} is not of the form package.module:Class")
    try:
        module = import_module(module_name)
    except Exception as error:  # a user's module may raise anything
        raise SettingsError(
            f"{setting}: the module {module_name!r} can't be imported:"
            f" {type(error).__name__}: {error}"
        ) from error
    policy = getattr(module, name, None)
    if policy is None:
        raise SettingsError(f"{setting}: the module {module_name!r} has no {name!r}")
    if not (isinstance(policy, type) and issubclass(policy, BaseOrchestrationPolicy)):
        raise SettingsError(
            f"{setting}: {path!r} is no policy; let it inherit from rules.BaseOrchestrationPolicy"
        )
    if isabstract(policy):
        raise SettingsError(f"{setting}: {path!r} has no priority() that lists its rules")
    return policy
