"""What the tests of maps share: the notes that a reader tells."""

import pytest

from imle_cli import notes


@pytest.fixture
def said():
    told = []
    notes.listen(told.append)
    yield told
    notes.listen(lambda _: None)
