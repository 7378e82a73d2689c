"""What a comparison amounts to, in a sentence."""

import math

from imle_cli.advice import advice
from imle_core.lab import Accuracy, Cell


def cell(name, error, calls, bias=0.0, lambda_=None):
    return Cell(name, lambda_, None, 2.0, 10, Accuracy(bias, 1.0, 1.0, error, 0.5, 0.0, 1.0), calls, 1e-3)


def test_the_best_that_gives_nothing_up():
    assert advice([cell("imle", 0.5, 20, 0.1, 3.0), cell("perturbed", 2.0, 20, 0.1)]) == (
        "Take imle with lambda 3 at temperature 2: it has the smallest error per solver call here, 0.5 with 20 calls a "
        "step. Given up: nothing that was measured."
    )


def test_bias_and_calls_that_others_spare():
    best = [cell("central-imle", 0.3, 30, 0.4, 1.0), cell("perturbed", 5.0, 11, 0.05), cell("score-function", math.inf, 10)]
    assert advice(best).split("Given up: ")[1] == (
        "a bias of 40% of the gradient, where perturbed at temperature 2 has 5% and 6.1 times the error; 30 calls a step, "
        "where score-function makes 10."
    )


def test_a_bias_that_drowns_in_noise_is_not_set_against_another():
    best = [cell("imle", 0.3, 20, 0.4, 1.0), cell("score-function", 500.0, 20, 0.0)]
    assert "bias" not in advice(best)


def test_exact_marginals_and_what_remains_without_them():
    text = advice([cell("simple", 0.1, 10), cell("score-function-exact", 0.15, 10), cell("imle", 0.2, 20, lambda_=1.0)])
    assert text.endswith(
        "Given up: other problems, since it needs exact marginals, without which imle with lambda 1 at temperature 2 is the "
        "best with 4 times the error."
    )
    assert advice([cell("simple", 0.1, 10)]).endswith("since it needs exact marginals.")


def test_the_loss_itself_and_a_size_without_meaning():
    text = advice([cell("score-function", 0.1, 1), cell("imle", 0.2, 1, lambda_=1.0)])
    assert "0.1 with 1 call a step" in text
    assert text.endswith(
        "a layer among others, since it needs the loss itself, without which imle with lambda 1 at temperature 2 is the "
        "best with 2 times the error."
    )
    assert advice([cell("straight-through", 0.1, 1, 4.0)]).endswith(
        "Given up: the gradient's size, for which the step size must make up."
    )
