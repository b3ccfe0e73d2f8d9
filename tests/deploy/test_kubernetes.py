"""The manifests say what the code says, and fit each other."""

from typing import Any

import pytest
import yaml

from consumer.health.endpoints import LIVE, METRICS, READY
from tests.deploy.described import (
    DEPLOY,
    PORT,
    SETTINGS,
    SHUTDOWN_SECONDS,
    assignments,
    document,
    documents,
    found,
    is_command,
)

FOLDER = DEPLOY / "kubernetes"
DEPLOYMENT = document("kubernetes", "deployment.yaml")
PODS: dict[str, dict[str, Any]] = {
    "consumer": DEPLOYMENT["spec"]["template"]["spec"],
    "prune": document("kubernetes", "prune.yaml")["spec"]["jobTemplate"]["spec"]["template"][
        "spec"
    ],
    "migrate": document("kubernetes", "migration", "job.yaml")["spec"]["template"]["spec"],
}
LABELS = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
GIVEN = assignments(FOLDER / "settings.env")


@pytest.fixture(params=PODS)
def pod(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each kind of pod in turn."""
    return PODS[request.param]


def container(pod: dict[str, Any]) -> dict[str, Any]:
    """The one that a pod has."""
    [only] = pod["containers"]
    contained: dict[str, Any] = only
    return contained


def test_each_runs_a_command_that_there_is(pod: dict[str, Any]) -> None:
    assert container(pod)["image"] == "pointsman"
    assert is_command(container(pod)["args"])


def test_only_settings_that_there_are_are_set(pod: dict[str, Any]) -> None:
    named = {each["name"] for each in container(pod).get("env", [])}
    assert named | GIVEN.keys() <= SETTINGS
    assert pod["enableServiceLinks"] is False


def test_each_secret_is_a_setting_and_found_where_settings_say(pod: dict[str, Any]) -> None:
    secrets = {
        each["metadata"]["name"]: each["stringData"]
        for each in documents("kubernetes", "secrets.example.yaml")
    }
    [volume] = pod["volumes"]
    [mount] = container(pod)["volumeMounts"]
    assert {name.upper() for name in secrets[volume["secret"]["secretName"]]} <= SETTINGS
    assert mount["name"] == volume["name"]
    assert mount["mountPath"] == GIVEN["POINTSMAN_SECRETS_DIR"]
    for each in container(pod).get("env", []):
        assert each["value"] == GIVEN[each["name"]]


def test_only_the_migration_knows_the_owner_of_the_tables() -> None:
    named = {name: [*found("secretName", pod)] for name, pod in PODS.items()}
    assert named["migrate"] == ["pointsman-migrations"]
    assert named["consumer"] == named["prune"] == ["pointsman-consumer"]


def test_none_has_power(pod: dict[str, Any]) -> None:
    security = container(pod)["securityContext"]
    assert security["readOnlyRootFilesystem"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert pod["securityContext"]["runAsNonRoot"]
    assert f"USER {pod['securityContext']['runAsUser']}:" in (DEPLOY / "Dockerfile").read_text()
    assert pod["automountServiceAccountToken"] is False


def test_each_has_its_limit_of_memory(pod: dict[str, Any]) -> None:
    resources = container(pod)["resources"]
    assert resources["requests"].keys() == {"cpu", "memory"}
    assert resources["limits"].keys() == {"memory"}


def test_probes_and_scrapers_ask_for_pages_that_there_are_at_their_port() -> None:
    consumer = container(PODS["consumer"])
    asked = {
        name: consumer[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")
    }
    assert [asked[name]["path"] for name in ("startup", "liveness", "readiness")] == [
        LIVE,
        LIVE,
        READY,
    ]
    [port] = consumer["ports"]
    assert {each["port"] for each in asked.values()} == {port["name"]}
    metrics = document("kubernetes", "metrics.yaml")
    annotations = metrics["metadata"]["annotations"]
    assert annotations["prometheus.io/path"] == METRICS
    assert port["containerPort"] == int(GIVEN["POINTSMAN_HTTP_PORT"]) == PORT
    assert annotations["prometheus.io/port"] == str(PORT)
    assert [each["targetPort"] for each in metrics["spec"]["ports"]] == [port["name"]]
    [admitted] = found("ports", document("kubernetes", "network.yaml"))
    assert [each["port"] for each in admitted] == [port["name"]]


def test_a_consumer_is_given_the_time_to_finish() -> None:
    seconds = float(GIVEN["POINTSMAN_SHUTDOWN_SECONDS"])
    assert seconds == SHUTDOWN_SECONDS
    assert PODS["consumer"]["terminationGracePeriodSeconds"] > seconds


def test_one_consumer_is_there_while_another_is_replaced_or_its_node_emptied() -> None:
    assert DEPLOYMENT["spec"]["replicas"] > 1
    assert DEPLOYMENT["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert document("kubernetes", "disruption.yaml")["spec"]["maxUnavailable"] == 1


def test_what_chooses_consumers_chooses_them() -> None:
    chosen = [DEPLOYMENT["spec"]["selector"]["matchLabels"]]
    chosen += found("matchLabels", PODS["consumer"])
    chosen += found("matchLabels", document("kubernetes", "disruption.yaml"))
    chosen.append(document("kubernetes", "metrics.yaml")["spec"]["selector"])
    chosen.append(document("kubernetes", "network.yaml")["spec"]["podSelector"]["matchLabels"])
    assert all(each == LABELS for each in chosen)
    assert len(chosen) == 5


@pytest.mark.parametrize("folder", [FOLDER, FOLDER / "migration"], ids=lambda each: each.name)
def test_all_manifests_are_applied_but_the_example(folder: Any) -> None:
    applied = yaml.safe_load((folder / "kustomization.yaml").read_text())
    there = {file.name for file in folder.glob("*.yaml")}
    assert set(applied["resources"]) == there - {"kustomization.yaml", "secrets.example.yaml"}
    assert [each["name"] for each in applied["images"]] == ["pointsman"]


def test_the_settings_are_those_that_the_pods_ask_for() -> None:
    [generated] = document("kubernetes", "kustomization.yaml")["configMapGenerator"]
    asked = {
        each["name"] for name in ("consumer", "prune") for each in found("configMapRef", PODS[name])
    }
    assert asked == {generated["name"]}
    assert generated["envs"] == ["settings.env"]
