"""The policies that settings name: users' own, or the Core ones."""

from importlib import import_module
from inspect import isabstract

from consumer.errors import SettingsError
from rules.policy import BaseOrchestrationPolicy, RuleOrTransform
from rules.rule import BaseOrchestrationRule, FlowRunOrchestrationRule, TaskRunOrchestrationRule
from rules.transform import (
    BaseUniversalTransform,
    FlowRunUniversalTransform,
    TaskRunUniversalTransform,
)

_FLOW_RUNS = (FlowRunOrchestrationRule, FlowRunUniversalTransform)
_TASK_RUNS = (TaskRunOrchestrationRule, TaskRunUniversalTransform)
_GOVERNED = {
    "POINTSMAN_TASK_POLICY": ("task", "flow", _FLOW_RUNS),
    "POINTSMAN_FLOW_POLICY": ("flow", "task", _TASK_RUNS),
}
"""By setting: the runs that its policy governs, the others, and what is only for the others."""


def load_policy(path: str, setting: str) -> type[BaseOrchestrationPolicy]:
    """Import a policy class.

    Args:
        path: ``package.module:Class``, or with a dot before the class.
        setting: the name of the setting that says so, for the error.

    Raises:
        SettingsError: there is no such module or name, importing it failed, it is no policy, or
            one for runs of the other kind.
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
    governed, others, foreign = _GOVERNED[setting]
    if misplaced := [each for each in _entries(policy, setting) if issubclass(each, foreign)]:
        raise SettingsError(
            f"{setting}: {path!r} is no policy for {governed} runs,"
            f" for {misplaced[0].__name__} in it is for {others} runs"
        )
    return policy


def _entries(policy: type[BaseOrchestrationPolicy], setting: str) -> list[RuleOrTransform]:
    """What the policy lists: rules and transforms, and nothing else."""
    said = f"{setting}: priority() of {policy.__name__}"
    try:
        entries = list(policy.priority())
    except Exception as error:  # a user's policy may raise anything
        raise SettingsError(f"{said} failed: {type(error).__name__}: {error}") from error
    for each in entries:
        bases = (BaseOrchestrationRule, BaseUniversalTransform)
        if not (isinstance(each, type) and issubclass(each, bases)):
            raise SettingsError(f"{said} lists {each!r}, which is neither a rule nor a transform")
    return entries
