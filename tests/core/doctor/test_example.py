"""How examples become small, and how they are told."""

import time

import pytest
import torch

from imle_core.doctor.example import RefusedError, Search, said

THETA = torch.rand(16, 3, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    """Time stands still, so that steps alone bound a search."""
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)


def shows_two(theta):
    wrong = (theta[:, 0] > 0.3).any() and (theta[:, 1] < -0.3).any()
    return {"theta": theta} if wrong else None


def test_few_rows_round_numbers_and_many_zeros():
    search = Search(THETA, shows_two)
    assert search.accepts(THETA)
    search.drop_rows()
    assert len(search.theta) <= 2
    search.round(-1.0, 1.0, False)
    torch.testing.assert_close(search.theta, search.theta.round(decimals=1))
    search.fill(0.0)
    assert search.theta.count_nonzero() == 2
    assert search.example["theta"] is search.theta


def test_entries_that_differ_may_have_to_go_on_to_do_so():
    search = Search(torch.tensor([[0.126, 0.124, -0.5]]), lambda theta: {"theta": theta})
    search.round(-1.0, 1.0, True)
    torch.testing.assert_close(search.theta, torch.tensor([[0.13, 0.12, -0.5]]))
    search.round(-1.0, 0.1, False)
    torch.testing.assert_close(search.theta, torch.tensor([[0.0, 0.0, -0.0]]))


def test_what_shows_nothing_or_something_else_is_not_taken():
    def refuses(theta):
        raise RefusedError(theta, "KeyError", "raised KeyError")

    for show in (lambda _: None, refuses):
        search = Search(THETA, show)
        assert not search.accepts(THETA)
        assert search.example == {}


def test_a_search_is_bounded_in_time(monkeypatch):
    search = Search(THETA, shows_two)
    assert search.accepts(THETA)
    monkeypatch.setattr(time, "perf_counter", lambda: 60.0)
    search.drop_rows()
    assert search.theta is THETA


def test_a_search_is_bounded_in_steps():
    calls = []

    def show(theta):
        calls.append(len(theta))
        return {"theta": theta} if len(theta) > 5 or len(calls) < 2 else None

    theta = torch.zeros(400, 3)
    search = Search(theta, show)
    assert search.accepts(theta)
    search.drop_rows()
    search.fill(1.0)
    assert len(search.theta) < 400
    assert len(calls) <= 150


def test_an_example_in_words():
    assert said({}) == ""
    assert said({"theta": torch.tensor([[0.5, 0.0]]), "z": torch.tensor([[1.0, 0.0]])}) == (
        "; example: theta [[0.5, 0]], z [[1, 0]]"
    )
    assert said({"theta": torch.zeros(4, 4)}) == "; the example has theta of shape (4, 4)"
