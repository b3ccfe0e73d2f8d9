"""Settings from files, one each, as container engines and systemd hand out secrets."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource
from typing_extensions import override

from consumer.errors import SettingsError


def file_names(folder: str | None) -> list[str]:
    """What is in the folder, nothing where there is none or it can't be read."""
    if not folder:
        return []
    try:
        return [file.name for file in Path(folder).iterdir()]
    except OSError:
        return []


class SecretFiles(PydanticBaseSettingsSource):
    """The files in the folder that the setting ``secrets_dir`` names, where it names one.

    A file is named as its setting is in the environment, in capitals or not. White space around a
    value is not part of it.
    """

    _files: Mapping[str, Path] = MappingProxyType({})

    @override
    def __call__(self) -> dict[str, Any]:
        """Values by field.

        Raises:
            SettingsError: the folder, or a file in it that is a setting's, can't be read.
        """
        folder = self.current_state.get("secrets_dir")
        if not folder:
            return {}
        self._files = {file.name.lower(): file for file in self._listed(Path(folder))}
        values = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in values.items() if value is not None}

    @override
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """What the field's file holds, None where there is no such file."""
        file = self._files.get(self._file_name(field_name))
        return (None if file is None else self._read(file)), field_name, False

    def _listed(self, folder: Path) -> list[Path]:
        try:
            return sorted(folder.iterdir())
        except OSError as error:
            raise self._unreadable("folder", folder, error.strerror) from error

    def _read(self, file: Path) -> str:
        try:
            return file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise self._unreadable("file", file, error.strerror) from error
        except ValueError:  # its text has part of the secret in it
            raise self._unreadable("file", file, "it is not UTF-8") from None

    def _unreadable(self, what: str, path: Path, why: str | None) -> SettingsError:
        setting = self._file_name("secrets_dir").upper()
        return SettingsError(f"{setting}: the {what} {path} can't be read: {why}")

    def _file_name(self, field: str) -> str:
        return f"{self.config.get('env_prefix', '')}{field}".lower()
