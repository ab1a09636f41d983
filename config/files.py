"""Private files: mode 0600, whole or not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from config import env
from config.cluster import make_data_dir


def write_once(path: Path, make: Callable[[], str]) -> str:
    """The text of a private file, made by `make` if it is not there.

    Of several processes that start at once, all get the text of the first: the finished file
    appears under its name in one step, and never over another. Raises SettingError.
    """
    make_data_dir(path.parent)
    try:
        return path.read_text()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise env.SettingError(f"{path} can't be read ({error.strerror}).") from error
    draft = _draft(path, make())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text()


def write_private(path: Path, text: str) -> None:
    """Writes or replaces a private file. Raises SettingError."""
    _draft(path, text).replace(path)


def _draft(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        make_data_dir(path.parent)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise env.SettingError(
            f"{path.parent} can't be written ({error.strerror}): set DATA_DIR to a directory that can."
        ) from error
    return draft
