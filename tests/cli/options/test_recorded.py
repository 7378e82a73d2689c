"""Options in JSON and back: every field by its type, whatever the group."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from imle_cli.options.inputs import MapOptions, MapSolverOptions, NoiseOptions
from imle_cli.options.learning import LearningOptions, PerceptionOptions
from imle_cli.options.recorded import from_recorded, recorded
from imle_cli.trainings.perception.experiment import PerceptionExperiment
from imle_cli.trainings.weights.experiment import TrainingExperiment


@dataclass(frozen=True)
class Inner:
    path: Path | None
    kind: Literal["a", "b"]


@dataclass(frozen=True)
class Outer:
    inner: Inner
    number: float
    count: int | None
    flag: bool
    text: str


VALUES = {"path": "x/y", "kind": "a", "number": 1, "count": None, "flag": True, "text": ""}


def test_there_and_back():
    made = from_recorded(Outer, VALUES | {"another": 1})
    assert made == Outer(Inner(Path("x/y"), "a"), 1, None, True, "")
    assert recorded(made) == VALUES


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("path", 5, "a path or null"),
        ("kind", "c", "a, b"),
        ("kind", ["a"], "a, b"),
        ("number", "1", "a finite number"),
        ("number", True, "a finite number"),
        ("number", None, "a finite number"),
        ("number", float("nan"), "a finite number"),
        ("number", float("inf"), "a finite number"),
        ("number", 10**400, "a finite number"),
        ("count", 1.0, "a whole number or null"),
        ("count", False, "a whole number or null"),
        ("flag", 1, "true or false"),
        ("text", ["x" * 1000], "a text"),
    ],
)
def test_another_type(name, value, rule):
    with pytest.raises(ValueError, match=rf"^{name}: got .{{1,40}}; it must be {rule}$"):
        from_recorded(Outer, VALUES | {name: value})


@pytest.mark.parametrize("name", VALUES)
def test_one_that_is_missing(name):
    with pytest.raises(KeyError, match=name):
        from_recorded(Outer, {other: value for other, value in VALUES.items() if other != name})


EXPERIMENTS = [
    TrainingExperiment(MapOptions(Path("m.png")), MapSolverOptions(), NoiseOptions(), LearningOptions(), 0, "auto", 10),
    PerceptionExperiment(Path("maps"), PerceptionOptions(), NoiseOptions(), 0, "auto"),
]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: type(experiment).__name__)
def test_every_option_of_an_experiment_is_checked(experiment):
    options = json.loads(json.dumps(experiment.options))
    assert from_recorded(type(experiment), options) == experiment
    for name in options:
        for value in ([1], {"a": 1}):
            with pytest.raises(ValueError, match=rf"^{name}: got "):
                from_recorded(type(experiment), options | {name: value})
