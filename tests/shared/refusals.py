"""Files that a reader refuses: ``from refusals import refused`` (pyproject.toml has the folder)."""

import pytest

from imle_cli.files.sources import SourceError


def refused(name, read, /, *arguments, **options):
    """What is wrong with the file of this name, from the one line of at most 300 letters that ``read`` refuses it with."""
    with pytest.raises(SourceError) as error:
        read(*arguments, **options)
    message = str(error.value)
    assert message.startswith(f"{name}: ")
    assert len(message) <= 300
    return message.removeprefix(f"{name}: ")
