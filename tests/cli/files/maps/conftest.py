"""What tests of maps share: the notes that reading makes."""

import pytest

from imle_cli.messages import notes


@pytest.fixture
def said():
    told = []
    notes.listen(told.append)
    yield told
    notes.listen(lambda _: None)
