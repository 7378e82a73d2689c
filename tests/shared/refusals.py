"""Files that a reader refuses: ``from refusals import refused`` (pyproject.toml has the folder)."""

from pathlib import Path

import pytest

from imle_cli.files.sources import SourceError


def refused(read, path):
    """What is wrong with a file, from the one line of at most 300 letters that names it."""
    with pytest.raises(SourceError) as error:
        read(Path(path))
    message = str(error.value)
    assert message.startswith(f"{path}: ")
    assert len(message) <= 300
    return message.removeprefix(f"{path}: ")
