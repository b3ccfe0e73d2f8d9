"""The compose file, and what it mounts, say what the code and the pages say."""

import json
import re
import stat
import subprocess
from pathlib import Path

import pytest

from consumer.settings import Settings
from tests.deploy.described import (
    DEPLOY,
    PORT,
    SETTINGS,
    SHUTDOWN_SECONDS,
    document,
    is_command,
)
from tests.docs.commands import blocks, shell_commands, statements
from tests.docs.pages import page

COMPOSE = document("compose.yaml")
OURS = {name: COMPOSE["services"][name] for name in ("migrate", "consumer", "operator")}
RUN_SECRETS = "/run/secrets"


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the script makes."""
    folder = tmp_path_factory.mktemp("compose") / "secrets"
    make(folder)
    return folder


def make(folder: Path) -> None:
    subprocess.run(["/bin/sh", DEPLOY / "compose" / "secrets.sh", folder], check=True)


def test_services_of_ours_run_commands_and_set_settings_that_there_are() -> None:
    for service in OURS.values():
        assert service["image"] == "${IMAGE:-pointsman}"
        assert is_command([word for word in service.get("command", []) if word != "--help"])
        assert service["environment"].keys() <= SETTINGS
        assert service["environment"]["POINTSMAN_SECRETS_DIR"] == RUN_SECRETS
        assert {each["target"].upper() for each in service["secrets"]} <= SETTINGS


def test_services_of_ours_have_no_power() -> None:
    for service in OURS.values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_each_starts_when_what_it_needs_is_there() -> None:
    needs = {
        name: {other: how["condition"] for other, how in each.get("depends_on", {}).items()}
        for name, each in COMPOSE["services"].items()
    }
    done, healthy = "service_completed_successfully", "service_healthy"
    assert needs["consumer"] == {"migrate": done, "rabbitmq": healthy}
    assert needs["migrate"] == {"roles": done}
    assert needs["roles"] == {"postgres": healthy}


def test_the_database_s_data_is_in_its_volume_whatever_its_version() -> None:
    postgres = COMPOSE["services"]["postgres"]
    [volume] = postgres["volumes"]
    assert volume == f"postgres:{postgres['environment']['PGDATA']}"


def test_the_consumer_is_given_the_time_to_finish_and_its_port_to_this_machine_alone() -> None:
    consumer = COMPOSE["services"]["consumer"]
    seconds = float(consumer["environment"]["POINTSMAN_SHUTDOWN_SECONDS"])
    assert seconds == SHUTDOWN_SECONDS
    assert int(consumer["stop_grace_period"].removesuffix("s")) > seconds
    assert consumer["ports"] == [f"127.0.0.1:${{HTTP_PORT:-{PORT}}}:{PORT}"]


def test_the_script_makes_just_the_secrets_that_are_handed_out(secrets: Path) -> None:
    named = {Path(each["file"].rpartition("}")[2]).name for each in COMPOSE["secrets"].values()}
    made = {file.name for file in secrets.iterdir()}
    assert named <= made
    assert {name for name in made - named if "broker" not in name} == set()


def test_the_secrets_are_readable_by_containers_and_their_folder_by_its_owner(
    secrets: Path,
) -> None:
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets.iterdir()} == {0o444}


def test_no_two_passwords_are_the_same_and_a_second_run_changes_none(secrets: Path) -> None:
    before = {file.name: file.read_text() for file in secrets.iterdir()}
    make(secrets)
    assert {file.name: file.read_text() for file in secrets.iterdir()} == before
    passwords = [text for name, text in before.items() if name.endswith("_password")]
    assert len(set(passwords)) == len(passwords) == 5
    assert all(len(password) == 48 for password in passwords)


@pytest.mark.parametrize("service", ["migrate", "consumer", "operator"])
def test_what_is_handed_out_can_be_used_as_settings(
    secrets: Path, service: str, tmp_path: Path
) -> None:
    for each in COMPOSE["services"][service]["secrets"]:
        (tmp_path / each["target"]).write_text((secrets / each["source"]).read_text())
    settings = Settings.from_environment(secrets_dir=tmp_path)
    assert settings.database_url.get_secret_value().endswith("@postgres/pointsman")
    if service != "migrate":
        assert settings.amqp_url.get_secret_value().endswith("@rabbitmq/pointsman")


def test_the_broker_s_users_may_do_what_the_page_says(secrets: Path) -> None:
    definitions = json.loads((secrets / "rabbitmq_definitions.json").read_text())
    told = {
        words[4]: words[5:]
        for words in shell_commands(page("permissions.md"))
        if words[1] == "set_permissions"
    }
    given = {
        each["user"]: [each["configure"], each["write"], each["read"]]
        for each in definitions["permissions"]
    }
    assert given == {user: told[user] for user in ("pointsman-consumer", "pointsman-operator")}
    assert {each["name"] for each in definitions["users"]} == given.keys()
    assert {each["vhost"] for each in definitions["permissions"]} == {"pointsman"}


def test_the_database_s_users_may_do_what_the_page_says() -> None:
    told = [each for block in blocks(page("permissions.md"), "sql") for each in statements(block)]
    script = (DEPLOY / "compose" / "roles.sql").read_text()
    kept = "\n".join(line for line in script.splitlines() if not re.match(r"\\|--|SELECT", line))
    done = [each for each in statements(kept) if each not in {"BEGIN", "COMMIT"}]
    assert [each for each in done if " PASSWORD " not in each] == told


def test_the_broker_takes_four_times_what_a_request_may_be_as_the_page_says() -> None:
    configuration = (DEPLOY / "compose" / "rabbitmq.conf").read_text()
    [line] = re.findall(r"^max_message_size = .*$", configuration, re.MULTILINE)
    assert line in page("delivery.md")
    assert int(line.split()[-1]) == 4 * Settings.model_fields["max_body_bytes"].default
