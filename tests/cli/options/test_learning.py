"""Options of training: what an estimator usually takes stands in its entry, and what is asked for goes before it."""

from dataclasses import fields
from typing import get_type_hints

import pytest

from imle_cli import app
from imle_cli.options.learning import PerceptionOptions
from imle_core.estimators import ESTIMATORS, Entry, Identity, PerturbedOptimizer, ScoreFunction
from imle_core.perception import BASELINES, make_method

MANY = {"perturbed", "perturbed-baseline", "perturbed-multiplicative"}
MANY |= {"score-function", "score-function-baseline", "score-function-exact"}


@pytest.mark.parametrize("name", [*ESTIMATORS, *BASELINES])
def test_what_an_estimator_usually_takes(name):
    options = PerceptionOptions(estimator=name)
    assert options.nb_samples == (10 if name in MANY else 1)
    assert options.temperatures == ((0.0, 0.0) if name in ("identity", "structured-svm") else (1.0, 1.0))


def unusual(field):
    """Estimators in whose entries a usual value is not that of most, by this value."""
    names = {}
    for name, entry in ESTIMATORS.items():
        if getattr(entry, field) != getattr(Entry, field):
            names.setdefault(getattr(entry, field), []).append(name)
    return names


def test_the_help_says_what_stands_in_the_entries():
    hints = get_type_hints(PerceptionOptions, include_extras=True)
    texts = {field.name: hints[field.name].__metadata__[0].help for field in fields(PerceptionOptions)}
    ((many, names),) = unusual("usual_samples").items()
    layers = (ScoreFunction, PerturbedOptimizer)
    assert set(names) == {name for name, entry in ESTIMATORS.items() if issubclass(entry.layer, layers)}
    default = Entry.usual_samples
    words = "score functions and perturbed optimizers"
    assert texts["samples"] == f"Sampled paths of each map; default: {default}, and {many} for {words}."
    ((cold, names),) = unusual("usual_temperature").items()
    default = Entry.usual_temperature
    assert texts["input_temp"] == f"Temperature of the noise; default: {default:g}, and {cold:g} for {' and '.join(names)}."
    names = unusual("usual_loss")
    assert list(names) == ["squared"]
    assert texts["loss"].endswith(f"; or squared, the default for {' and '.join(sorted(names['squared']))}.")


def test_what_is_asked_for_goes_before_what_is_usual():
    options = PerceptionOptions(estimator="perturbed", samples=3, input_temp=0.5, target_temp=2.0)
    assert (options.nb_samples, options.temperatures) == (3, (0.5, 2.0))
    assert PerceptionOptions(estimator="identity", input_temp=0.25).temperatures == (0.25, 0.25)
    assert PerceptionOptions(estimator="identity", target_temp=0.25).temperatures == (0.0, 0.25)


def test_a_new_estimator_needs_no_more_than_an_entry(monkeypatch):
    entry = Entry(
        Identity, cost_options={"projection": "none"}, usual_samples=7, usual_temperature=0.5, usual_loss="squared"
    )
    monkeypatch.setitem(ESTIMATORS, "new", entry)
    options = PerceptionOptions(estimator="new")
    assert (options.nb_samples, options.temperatures) == (7, (0.5, 0.5))
    method = make_method("new", nb_samples=options.nb_samples)
    assert (method.layer.projection, method.layer.nb_samples, method.loss) == ("none", 7, "squared")


@pytest.mark.parametrize("command", ["train", "sweep", "perceive", "explain"])
def test_lambda_is_another_name_of_beta(command):
    beta = next(parameter for parameter in app._made(command).params if parameter.name == "beta")
    assert beta.opts == ["--lambda", "--beta"]
