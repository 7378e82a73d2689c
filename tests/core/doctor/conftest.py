"""What tests of the doctor share: how long threads disturb one another."""

import pytest

from imle_core.doctor import cost


@pytest.fixture(autouse=True)
def few_rounds(request, monkeypatch):
    """Has threads disturb one another for few rounds where a test is of something else: it takes most of the time."""
    if "usual_rounds" not in request.fixturenames:
        monkeypatch.setattr(cost, "_ROUNDS", 3)


@pytest.fixture
def usual_rounds():
    """Has threads disturb one another for as many rounds as users' do."""
