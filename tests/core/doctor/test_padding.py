"""What the doctor says of solvers in ragged batches."""

import re

import pytest
import torch

from imle_core.doctor import check
from imle_core.solvers import BlackBox, Ranking, SpanningTree, TopK


def softest(theta):
    """One at the entry nearest to the mean, which infinite entries move."""
    distance = (theta - theta.clamp(-10, 10).mean(dim=1, keepdim=True)).abs()
    return torch.nn.functional.one_hot(distance.argmin(dim=1), theta.shape[1]).to(theta)


def finite_only(theta):
    if not theta.isfinite().all():
        raise ValueError("infinite")
    return TopK(1)(theta)


class LeastOf:
    """The smallest cost."""

    sense = "min"

    def __call__(self, costs):
        return TopK(1)(-costs)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("solver", "verdict", "words"),
    [
        (TopK(2), "pass", "padded with -inf, as by layer.ragged, the same, and no padding is chosen"),
        (LeastOf(), "pass", "padded with inf, as by layer.ragged, the same, and no padding is chosen"),
        (Ranking(), "pass", "layer.ragged gives it rows of one size at a time, as it says"),
        (BlackBox(lambda theta: theta > 0), "pass", "layer.ragged tells it the sizes of its rows"),
        (
            lambda theta: SpanningTree([(0, 1), (1, 2), (0, 2)])(theta[:, :3]).repeat(1, 2)[:, :4],
            "pass",
            "it takes 4 entries",
        ),
        (
            finite_only,
            "pass",
            r"padded with -inf, as by layer.ragged, it raised ValueError \(infinite\); with takes_padding",
        ),
        (
            lambda theta: Ranking()(theta),
            "warn",
            r"it gives others \(16 of 16 instances differ\); with takes_padding = False",
        ),
        (softest, "warn", "padded with -inf, as by layer.ragged, it gives others"),
    ],
)
def test_padding(solver, verdict, words):
    (finding,) = [finding for finding in check(solver, (4,)) if finding.check == "padding"]
    assert finding.verdict == verdict
    assert re.search(words, finding.detail)
    assert (set(finding.example) == {"theta", "z", "other"}) is (verdict == "warn")


def test_a_single_entry_has_none_to_leave_out():
    (finding,) = [finding for finding in check(TopK(1), (1,)) if finding.check == "padding"]
    assert finding.verdict == "pass"


class Told:
    """The largest entry, in ragged batches by a method of its own."""

    def __init__(self, method):
        self.method = method

    def __call__(self, theta):
        return TopK(1)(theta)

    def solve_ragged(self, theta, sizes):
        return self.method(theta, sizes)


def broken(*_):
    raise RuntimeError("broken")


def never_the_last(theta, sizes):
    """Wrong only where sizes differ."""
    shortest = min(sizes)
    return torch.nn.functional.pad(TopK(1)(theta[:, :shortest]), (0, theta.shape[1] - shortest))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "verdict", "words"),
    [
        (lambda theta, _: TopK(1)(theta), "pass", "layer.ragged tells it the sizes of its rows"),
        (broken, "fail", r"its solve_ragged, which layer.ragged calls, raised RuntimeError \(broken\)"),
        (lambda theta, _: TopK(1)(-theta), "fail", "its solve_ragged gives others, which layer.ragged calls"),
        (never_the_last, "fail", r"\(\d+ of 16 instances of two sizes differ\)"),
    ],
)
def test_a_solver_that_is_told_sizes_is_asked_so(method, verdict, words):
    (finding,) = [finding for finding in check(Told(method), (4,)) if finding.check == "padding"]
    assert finding.verdict == verdict
    assert re.search(words, finding.detail)
