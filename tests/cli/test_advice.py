"""What a comparison amounts to, in a sentence."""

import math

import pytest

from imle_cli import advice as module
from imle_core.lab import Accuracy, Cell


def cell(name, error, calls, bias=0.0, lambda_=None):
    return Cell(name, lambda_, None, 2.0, 10, Accuracy(bias, 1.0, 1.0, error, 0.5, 0.0, 1.0), calls, 1e-3)


def advice(best, lambdas=(0.1, 1.0, 3.0, 10.0), temperatures=(1.0, 2.0, 4.0)):
    return module.advice(best, lambdas, temperatures)


def test_the_best_that_gives_nothing_up():
    assert advice([cell("imle", 0.5, 20, 0.1, 3.0), cell("perturbed", 2.0, 20, 0.1)]) == (
        "Take imle with lambda 3 at temperature 2: it has the smallest error times solver calls here, an error of 0.5 with "
        "20 calls a step. Given up: nothing that was measured."
    )


def test_bias_and_calls_that_others_spare():
    best = [cell("central-imle", 0.3, 30, 0.4, 1.0), cell("perturbed", 5.0, 11, 0.05), cell("score-function", math.inf, 10)]
    assert advice(best).split("Given up: ")[1] == (
        "a bias of 40% of the gradient, where perturbed at temperature 2 has 5%, with 6.1 times the error at equal calls; "
        "30 calls a step, where score-function makes 10."
    )


def test_a_bias_that_drowns_in_noise_is_not_set_against_another():
    best = [cell("imle", 0.3, 20, 0.4, 1.0), cell("score-function", 500.0, 20, 0.0)]
    assert "bias" not in advice(best)


def test_exact_marginals_and_what_remains_without_them():
    text = advice([cell("simple", 0.1, 10), cell("score-function-exact", 0.15, 10), cell("imle", 0.2, 20, lambda_=1.0)])
    assert text.endswith(
        "Given up: other problems, since it needs exact marginals, without which imle with lambda 1 at temperature 2 is the "
        "best, with 4 times the error at equal calls."
    )
    assert advice([cell("simple", 0.1, 10)]).endswith("since it needs exact marginals.")


def test_the_loss_itself_and_a_size_without_meaning():
    text = advice([cell("score-function", 0.1, 1), cell("imle", 0.2, 1, lambda_=1.0)])
    assert "an error of 0.1 with 1 call a step" in text
    assert text.endswith(
        "a layer among others, since it needs the loss itself, without which imle with lambda 1 at temperature 2 is the "
        "best, with 2 times the error at equal calls."
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
    ("lambdas", "temperatures", "end"),
    [
        ((1.0, 3.0), (1.0, 2.0), "That is the largest of --temps: larger ones may be better."),
        ((1.0, 3.0), (2.0, 4.0), "That is the smallest of --temps: smaller ones may be better."),
        ((1.0,), (1.0, 2.0, 4.0), "nothing that was measured."),
    ],
)
def test_the_end_of_what_was_tried(lambdas, temperatures, end):
    found = cell("imle", 0.5, 20, 0.1, 1.0)
    text = advice([found], lambdas, temperatures)
    assert end in text
    assert ("smallest of --lambdas" in text) == (len(lambdas) > 1)
