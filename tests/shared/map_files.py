"""Files of maps in the current folder, and messages of those that are refused: ``from map_files import refusal, write``."""

from pathlib import Path

import pytest

from imle_cli.files.maps.terrain import load
from imle_cli.files.sources import SourceError


def write(content, name="m.csv"):
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    return Path(name)


def refusal(path):
    """The message of the error, without the path in front."""
    with pytest.raises(SourceError) as error:
        load(Path(path))
    assert str(error.value).startswith(f"{path}: ")
    assert len(str(error.value)) <= 300
    return str(error.value).removeprefix(f"{path}: ")
