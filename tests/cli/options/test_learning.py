"""Options of training: what an estimator usually takes stands in its entry, and what is asked for goes before it."""

import pytest

from imle_cli.options.learning import PerceptionOptions
from imle_core.estimators import ESTIMATORS, Entry, Identity
from imle_core.perception import BASELINES, make_method

MANY = {"perturbed", "perturbed-baseline", "perturbed-multiplicative"}
MANY |= {"score-function", "score-function-baseline", "score-function-exact"}


@pytest.mark.parametrize("name", [*ESTIMATORS, *BASELINES])
def test_what_an_estimator_usually_takes(name):
    options = PerceptionOptions(estimator=name)
    assert options.nb_samples == (10 if name in MANY else 1)
    assert options.temperatures == ((0.0, 0.0) if name == "identity" else (1.0, 1.0))


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
