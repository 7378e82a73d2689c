"""Signatures are spelled out, and those that belong together agree."""

import inspect

import pytest

from imle_core import IMLE, AdaptiveTargetDistribution, ArgumentError, TargetDistribution, Training, imle, train
from imle_core.estimators import differentiable
from imle_core.solvers import TopK


def parameters(function):
    return inspect.signature(function).parameters


@pytest.mark.parametrize("function", [imle, IMLE, differentiable, train, Training])
def test_no_argument_hides_behind_a_star(function):
    kinds = {parameter.kind for parameter in parameters(function).values()}
    assert not kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}


def test_the_module_has_the_arguments_of_the_function():
    assert list(parameters(IMLE)) == [*parameters(imle), "eval_samples"]
    settings = list(parameters(imle).values())[1:]
    assert [entry.default for entry in list(parameters(IMLE).values())[1:-1]] == [entry.default for entry in settings]


def test_train_has_the_arguments_of_a_training():
    assert parameters(train) == parameters(Training)


def test_an_option_of_other_estimators_is_refused():
    message = (
        "^projection: got 'norm'; estimator 'blackbox' has no option of that name; leave it out, or take the estimator that "
        "has it$"
    )
    with pytest.raises(ArgumentError, match=message):
        differentiable("blackbox", TopK(1), projection="norm")
    decorator = differentiable("blackbox", projection="norm")
    with pytest.raises(ArgumentError, match=message):
        decorator(TopK(1))


@pytest.mark.parametrize("target", [TargetDistribution, AdaptiveTargetDistribution])
def test_lambda_has_the_name_of_the_papers_too(target):
    assert float(target(lambda_=0.5).beta) == float(target(beta=0.5).beta) == 0.5
    message = r"^lambda_: got 0.5 and beta=1.0; they are two names of one setting; leave out beta$"
    with pytest.raises(ArgumentError, match=message):
        target(beta=1.0, lambda_=0.5)
    with pytest.raises(ArgumentError, match=r"^lambda_: got -1; it must be a finite number >= 0; the usual value is"):
        target(lambda_=-1)


def test_lambda_can_be_read_by_its_name():
    assert TargetDistribution(beta=3.0).lambda_ == 3.0
    assert (TargetDistribution().lambda_, float(AdaptiveTargetDistribution().beta)) == (1.0, 2.0)
