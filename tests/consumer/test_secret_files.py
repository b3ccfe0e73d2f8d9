import os
from pathlib import Path

import pytest

from consumer.errors import SettingsError
from consumer.settings import Settings

URL = "amqp://user:sesame@host/"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("POINTSMAN_"):
            monkeypatch.delenv(name)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the environment names."""
    monkeypatch.setenv("POINTSMAN_SECRETS_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", ["pointsman_amqp_url", "POINTSMAN_AMQP_URL"])
def test_a_file_named_as_a_setting_holds_its_value(folder: Path, name: str) -> None:
    (folder / name).write_text(f"{URL}\n")
    settings = Settings.from_environment()
    assert settings.amqp_url.get_secret_value() == URL
    assert settings.secrets_dir == folder


def test_any_setting_may_be_in_a_file(folder: Path) -> None:
    (folder / "pointsman_force_users").write_text("ann,bob\n")
    (folder / "pointsman_http_port").write_text("0\n")
    settings = Settings.from_environment()
    assert (settings.force_users, settings.http_port) == (("ann", "bob"), 0)


def test_the_environment_wins_over_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "pointsman_batch_size").write_text("7")
    (folder / "pointsman_prefetch").write_text("7")
    monkeypatch.setenv("POINTSMAN_BATCH_SIZE", "9")
    settings = Settings.from_environment()
    assert (settings.batch_size, settings.prefetch) == (9, 7)


def test_other_files_do_not_matter(folder: Path) -> None:
    (folder / "..data").mkdir()
    (folder / "postgres_password").write_text("sesame")
    assert Settings.from_environment(secrets_dir=None) == Settings.from_environment(
        secrets_dir=folder
    ).model_copy(update={"secrets_dir": None})


def test_links_are_followed_as_kubernetes_makes_them(folder: Path) -> None:
    (folder / "..data").mkdir()
    (folder / "..data" / "pointsman_amqp_url").write_text(URL)
    (folder / "pointsman_amqp_url").symlink_to(Path("..data", "pointsman_amqp_url"))
    assert Settings.from_environment().amqp_url.get_secret_value() == URL


def test_a_folder_that_is_not_there_stops_the_start(folder: Path) -> None:
    with pytest.raises(SettingsError) as told:
        Settings.from_environment(secrets_dir=folder / "gone")
    assert str(told.value) == (
        f"POINTSMAN_SECRETS_DIR: the folder {folder / 'gone'} can't be read:"
        " No such file or directory"
    )


def test_no_folder_is_named_by_an_empty_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTSMAN_SECRETS_DIR", "")
    assert Settings.from_environment().secrets_dir is None


def test_a_setting_s_file_that_can_not_be_read_stops_the_start(folder: Path) -> None:
    (folder / "pointsman_amqp_url").mkdir()
    with pytest.raises(SettingsError, match=r"pointsman_amqp_url can't be read: Is a directory"):
        Settings.from_environment()


def test_nothing_of_a_secret_is_told_where_it_can_not_be_used(folder: Path) -> None:
    (folder / "pointsman_amqp_url").write_bytes(b"sesame\xff")
    with pytest.raises(SettingsError) as undecodable:
        Settings.from_environment()
    (folder / "pointsman_amqp_url").write_bytes(b"http://user:sesame@host/")
    with pytest.raises(SettingsError, match=r"^POINTSMAN_AMQP_URL: must be a URL like") as unusable:
        Settings.from_environment()
    assert "sesame" not in f"{undecodable.value}{unusable.value}"
