"""What a comparison amounts to, in a sentence."""

import math

import pytest

from imle_cli.lab import advice as module
from imle_core.lab import Accuracy, Cell, IntervalEstimate, positive

OPTIONS = {"lambdas": "--lambdas", "temperatures": "--temps"}


def cell(name, error, calls, bias=0.0, lambda_=None, *, edges=(), instances=1, relative=0.02):
    known, one = IntervalEstimate(bias, 0.02 * bias, 0.96 * bias, 1.04 * bias), IntervalEstimate(1.0)
    measured = positive(error, relative * error, 10**6) if math.isfinite(error) else IntervalEstimate(error)
    accuracy = Accuracy(known, one, one, measured, one, IntervalEstimate(0.0), one, one, IntervalEstimate(0.5))
    return Cell(name, lambda_, None, 2.0, 10, accuracy, calls, 1e-3, 300, (accuracy,) * instances, True, edges)


def advice(best, *alike):
    return module.advice(best, alike, OPTIONS)


def test_the_best_that_gives_nothing_up():
    assert advice([cell("imle", 0.5, 20, 0.1, 3.0), cell("perturbed", 2.0, 20, 0.1)]) == (
        "Take imle with lambda 3 at temperature 2: it has the smallest error times solver calls here, an error of "
        "0.500 ± 0.010 with 20 calls a step. Given up: nothing that was measured."
    )


class TestAlike:
    def test_by_instances(self):
        text = advice([cell("identity", 0.12, 10, instances=5), cell("simple", 0.13, 10, instances=5)], "simple")
        assert text.startswith(
            "Take identity or simple: not told apart by 5 instances. identity at temperature 2 has the smallest error times "
            "solver calls here, an error of 0.1200 ± 0.0024 with 10 calls a step. Given up: "
        )

    def test_by_repetitions_of_one(self):
        text = advice([cell("imle", 0.12, 10, lambda_=1.0)], "blackbox", "central-imle")
        assert text.startswith(
            "Take imle, blackbox or central-imle: not told apart by 300 repetitions. imle with lambda 1 at"
        )

    def test_many(self):
        text = advice([cell("imle", 0.12, 10, lambda_=1.0)], "a", "b", "c", "d", "e")
        assert text.startswith("Take imle, a, b or 3 others: not told apart by 300 repetitions.")


def test_an_error_that_is_hardly_known():
    wide = cell("imle", 900.0, 20, lambda_=1.0, relative=0.5)
    assert ", an error of 340 to 2,400 with 20 calls a step." in advice([wide])
    wide.accuracy.__dict__["error"] = IntervalEstimate(900.0, 500.0, 340.0, math.inf)
    assert ", an error > 340 with 20 calls a step." in advice([wide])


def test_bias_and_calls_that_others_spare():
    best = [cell("central-imle", 0.3, 30, 0.4, 1.0), cell("perturbed", 5.0, 11, 0.05), cell("score-function", math.inf, 10)]
    best[2].accuracy.__dict__["bias"] = IntervalEstimate(0.5, 0.1, 0.3, 0.7)
    assert advice(best).split("Given up: ")[1] == (
        "a bias of 40.0 ± 0.8% of the gradient, where perturbed at temperature 2 has 5.00 ± 0.10%, with 6.11 ± 0.17 times "
        "the error at equal calls; 30 calls a step, where score-function makes 10."
    )


def test_a_bias_that_drowns_in_noise_is_not_set_against_another():
    best = [cell("imle", 0.3, 20, 0.4, 1.0), cell("score-function", 500.0, 20, 0.0)]
    best[1].accuracy.__dict__["bias"] = IntervalEstimate(0.0, 0.5, 0.0, 0.6)
    assert "bias" not in advice(best)


def test_exact_marginals_and_what_remains_without_them():
    text = advice([cell("simple", 0.1, 10), cell("score-function-exact", 0.15, 10), cell("imle", 0.2, 20, lambda_=1.0)])
    assert text.endswith(
        "Given up: other problems, since it needs exact marginals, without which imle with lambda 1 at temperature 2 is the "
        "best, with 4.00 ± 0.11 times the error at equal calls."
    )
    assert advice([cell("simple", 0.1, 10)]).endswith("since it needs exact marginals.")


def test_the_loss_itself_and_a_size_without_meaning():
    text = advice([cell("score-function", 0.1, 1), cell("imle", 0.2, 1, lambda_=1.0)])
    assert "an error of 0.1000 ± 0.0020 with 1 call a step" in text
    assert text.endswith(
        "a layer among others, since it needs the loss itself, without which imle with lambda 1 at temperature 2 is the "
        "best, with 2.00 ± 0.06 times the error at equal calls."
    )
    assert advice([cell("straight-through", 0.1, 1, 4.0)]).endswith(
        "Given up: the gradient's size, for which the step size must make up."
    )


def test_an_exact_gradient_has_no_ratios():
    text = advice([cell("simple", 0.0, 10), cell("imle", 0.2, 20, lambda_=1.0)])
    assert "no error at all, with 10 calls a step" in text
    assert text.endswith("without which imle with lambda 1 at temperature 2 is the best.")


def test_no_progress_at_all():
    assert advice([cell("imle", math.inf, 20)]).startswith("Take none: no gradient makes progress along the true one here;")


@pytest.mark.parametrize(
    ("edges", "options"), [(("temperatures",), ["--temps"]), (("lambdas", "temperatures"), ["--lambdas", "--temps"])]
)
def test_the_edge_of_what_was_tried(edges, options):
    text = advice([cell("imle", 0.5, 20, 0.1, 1.0, edges=edges)])
    assert text.endswith("".join(f" That is at the edge of {option}: others beyond it may be better." for option in options))
    assert "edge" not in advice([cell("imle", 0.5, 20, 0.1, 1.0)])
