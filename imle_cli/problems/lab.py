"""Problems on which estimators are measured: random ones by name, or the user's map, graph, table, solver and loss."""

import math
import re
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from imle_cli.device import find_device
from imle_cli.messages import DataError, UsageError, worded
from imle_cli.options.checks import check_names, check_range, option_of
from imle_cli.options.inputs import DeviceName, InputOptions, SolverOptions
from imle_cli.options.measuring import LabOptions
from imle_cli.options.report import ReportOptions
from imle_cli.problems.gold import read_gold
from imle_cli.problems.imported import imported, reason
from imle_cli.problems.map import MapProblem
from imle_cli.problems.problem import Problem
from imle_cli.problems.reading import read_problem
from imle_core import hamming
from imle_core.checks import ArgumentError
from imle_core.estimators import ESTIMATORS
from imle_core.exact import ExponentialFamily, family_of
from imle_core.lab import PROBLEMS, LabProblem, check_problem, make_problem

_MOST_INSTANCES = 1000


class ReadProblem(NamedTuple):
    """A problem, the name after which its pictures are called, and the files that were read."""

    problem: LabProblem
    stem: str
    inputs: tuple[Path, ...]


def read_lab_problem(
    source: InputOptions, choice: SolverOptions, lab: LabOptions, device: DeviceName, seed: int, given: frozenset[str]
) -> ReadProblem:
    """A random problem, or with an INPUT or a solver the user's own.

    Raises:
        UsageError: options that do not fit each other.
        DataError: a solver or a loss that cannot be imported.
        ValueError: an input, or an unknown problem or size.
    """
    own = source.map is not None or "solver" in given
    if own and lab.problem is not None:
        raise UsageError(f"--problem: got {lab.problem} with an input or a solver of its own; leave one of them out")
    if own and lab.size is not None:
        raise UsageError("--size: it belongs to --problem; an input has its own size; leave it out")
    if not own and lab.gold is not None:
        raise UsageError("--gold: it belongs to a map; name one")
    problem, stem, inputs = _own(source, choice, lab, device, given) if own else _random(lab, device, seed)
    if lab.function is not None:
        function = _callable("--function", lab.function)
        family = family_of(function, problem.theta.shape[1:])
        named = f"{problem.name}, {lab.function}"
        problem = replace(problem, name=named, solver=_guarded(lab.function, function), family=family)
    if lab.loss is not None:
        problem = replace(problem, loss=_guarded(lab.loss, _callable("--loss", lab.loss)), loss_name=lab.loss)
    return ReadProblem(problem, stem, inputs)


def read_lab_problems(
    source: InputOptions,
    choice: SolverOptions,
    lab: LabOptions,
    report: ReportOptions,
    given: frozenset[str],
    instances: int,
) -> list[ReadProblem]:
    """So many random problems, of seeds one after the other, or the user's own one.

    Raises:
        UsageError: several instances of an input; options of an input for random problems; a number out of range.
        DataError, ValueError: as :func:`read_lab_problem`.
    """
    check_range("--instances", instances, 1, _MOST_INSTANCES, "the usual number is 5")
    if source.map is not None or "solver" in given:
        if instances > 1:
            raise UsageError(f"--instances: got {instances}; an input is one instance; leave it out")
    elif report.seed + instances > 2**32:
        raise UsageError(f"--seed: got {report.seed}; random problems have seeds from 0 to 2^32 - 1; the usual one is 0")
    else:
        foreign = sorted(given & {field.name for group in (source, choice) for field in fields(group)})
        if foreign:
            raise UsageError(f"{option_of(foreign[0])}: it belongs to an INPUT or a --solver; name one or leave it out")
    return [read_lab_problem(source, choice, lab, report.device, report.seed + i, given) for i in range(instances)]


def read_estimators(text: str) -> list[str]:
    """Names of estimators between commas, each once.

    Raises:
        UsageError: an unknown one.
    """
    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    check_names("--estimators", names, ESTIMATORS)
    return names


def known_family(problem: LabProblem, solver: str) -> ExponentialFamily:
    """The exact distribution of a problem.

    Raises:
        UsageError: none is known.
    """
    if problem.family is None:
        raise UsageError(
            f"--solver: got {solver}; the exact distribution of its solutions is not known here; choose top-k, knapsack or "
            "spanning-tree, or leave INPUT out for paths that never turn back: --problem path"
        )
    return problem.family


def number_of_states(family: ExponentialFamily | None) -> dict[str, Any]:
    """For JSON, whose numbers may be read as floating ones; exact where these are, None where it is not known."""
    count = None if family is None else family.count()
    exact = count if count is not None and count < 2**53 else None
    return {"states": exact, "log10_states": None if count is None else math.log10(count)}


def _random(lab: LabOptions, device: DeviceName, seed: int) -> ReadProblem:
    name = lab.problem or next(iter(PROBLEMS))
    try:
        check_problem(name, lab.size)
    except ArgumentError as error:
        raise UsageError(worded(error)) from error
    if seed >= 2**32:
        raise UsageError(f"--seed: got {seed}; a random problem takes a whole number from 0 to 2^32 - 1; the usual one is 0")
    problem = make_problem(name, lab.size, seed)
    theta = problem.theta.to(find_device("cpu" if device == "auto" else device))
    return ReadProblem(replace(problem, theta=theta), name, ())


def _own(
    source: InputOptions, choice: SolverOptions, lab: LabOptions, device: DeviceName, given: frozenset[str]
) -> ReadProblem:
    problem = read_problem(source, choice, device, given)
    gold = torch.from_numpy(_gold(problem, lab.gold)).to(problem.theta)
    loss_name = f"Hamming distance to {'the gold solution' if lab.gold else 'the noise-free solution'}"

    def loss(z: Tensor) -> Tensor:
        return hamming(z, gold.to(z))

    family = family_of(problem.solver, problem.theta.shape[1:])
    inputs = problem.inputs if lab.gold is None else (*problem.inputs, lab.gold)
    named = f"{problem.title}, {problem.solver_name}"
    stem = problem.picture("").stem.rstrip("-")
    measured = LabProblem(named, problem.theta, problem.solver, family, loss, loss_name, problem.default_k)
    return ReadProblem(measured, stem, inputs)


def _gold(problem: Problem, path: Path | None) -> Any:
    if path is None:
        return problem.solve()
    if not isinstance(problem, MapProblem):
        raise UsageError(f"--gold: it belongs to a map, and {problem.name} is none; leave it out, or give --loss")
    return read_gold(path, problem)


def _callable(option: str, name: str) -> Callable[[Tensor], Tensor]:
    function = imported(option, name)
    if isinstance(function, type) or not callable(function):
        raise UsageError(
            f"{option}: {name} is {type(function).__name__} and cannot be called; name a function or an object like one"
        )
    return function  # type: ignore[no-any-return]


def _guarded(name: str, function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """The function of the user's, whose errors name it."""

    def guarded(rows: Tensor) -> Tensor:
        try:
            return function(rows)
        except Exception as error:  # whatever code of a user may raise
            raise DataError(f"{name}: {reason(error)}; --debug shows where") from error

    return guarded


def problem_title(name: str) -> str:
    """Name of a random problem in the title of a picture, "top-5 of 10" for instance; another name as it is."""
    kind, _, size = name.partition(" ")
    if re.fullmatch(r"\d+(\D\d+)?", size) is None:
        return name
    first, _, last = size.replace("x", ",").partition(",")
    titles = {
        "top-k": f"top-{last} of {first}",
        "path": f"paths on {size} tiles",
        "spanning-tree": f"spanning trees of {size} nodes",
        "knapsack": f"a knapsack of {size} items",
    }
    return titles.get(kind, name)
