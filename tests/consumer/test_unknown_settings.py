from pathlib import Path

import pytest

from consumer.settings import PREFIX, Settings
from consumer.unknown_settings import UnknownSetting, unknown_settings


def test_every_setting_is_known_however_it_is_written() -> None:
    names = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    assert unknown_settings(dict.fromkeys([*names, "pointsman_amqp_url", "PATH"], "x")) == []


@pytest.mark.parametrize(
    ("name", "likeness"),
    [
        ("POINTSMAN_AMQP_ULR", "POINTSMAN_AMQP_URL"),
        ("POINTSMAN_BATCHSIZE", "POINTSMAN_BATCH_SIZE"),
        ("pointsman_partition", "POINTSMAN_PARTITIONS"),
        ("POINTSMAN_HTTP_PORTS", "POINTSMAN_HTTP_PORT"),
        ("POINTSMAN_COLOUR_OF_THE_TRAIN", None),
    ],
)
def test_another_is_told_with_the_one_that_it_is_most_like(name: str, likeness: str | None) -> None:
    assert unknown_settings({name: "x"}) == [UnknownSetting(name, likeness)]


def test_a_secret_file_that_no_setting_has_is_told_too(tmp_path: Path) -> None:
    for name in ("pointsman_amqp_ulr", "pointsman_amqp_url", "postgres_password"):
        (tmp_path / name).touch()
    [unknown] = unknown_settings({"POINTSMAN_SECRETS_DIR": str(tmp_path)})
    assert unknown == UnknownSetting("pointsman_amqp_ulr", "POINTSMAN_AMQP_URL")
    assert unknown_settings({"POINTSMAN_SECRETS_DIR": str(tmp_path / "gone")}) == []


def test_what_is_told_says_that_it_has_no_effect_and_nothing_of_its_value() -> None:
    [unknown] = unknown_settings({"POINTSMAN_AMQP_ULR": "amqp://user:sesame@host/"})
    assert unknown.sentence == (
        "POINTSMAN_AMQP_ULR is not a setting, and has no effect; did you mean POINTSMAN_AMQP_URL?"
    )


def test_what_kubernetes_sets_for_a_service_of_this_name_is_no_slip_of_the_pen() -> None:
    address = "tcp://10.0.0.7:8080"
    assert (
        unknown_settings(
            {
                "POINTSMAN_SERVICE_HOST": "10.0.0.7",
                "POINTSMAN_SERVICE_PORT": "8080",
                "POINTSMAN_SERVICE_PORT_HTTP": "8080",
                "POINTSMAN_PORT": address,
                "POINTSMAN_PORT_8080_TCP": address,
                "POINTSMAN_PORT_8080_TCP_ADDR": "10.0.0.7",
                "POINTSMAN_METRICS_SERVICE_HOST": "10.0.0.8",
                "POINTSMAN_METRICS_PORT": address,
            }
        )
        == []
    )


def test_images_for_tests_are_known() -> None:
    assert unknown_settings({"POINTSMAN_RABBITMQ_IMAGE": "rabbitmq:3.13"}) == []


def test_a_name_can_not_steer_a_terminal() -> None:
    [unknown] = unknown_settings({"POINTSMAN_\x1b[2J": "x"})
    assert unknown.sentence.isprintable()
