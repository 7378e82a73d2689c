"""Data sets of decisions: features, costs and solutions of each split as arrays, and the problem they belong to."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imle_cli.files.arrays import check_numbers, open_array
from imle_cli.files.datasets import SPLITS
from imle_cli.files.outputs import replacing
from imle_cli.files.sources import SourceError, check_file
from imle_core import ArgumentError, Solver
from imle_core.checks import shown
from imle_core.contracts import Sense
from imle_core.decisions import Decisions
from imle_core.solvers import SOLVERS

PROBLEM = "problem.json"
_FEATURES, _COSTS, _SOLUTIONS = "features", "costs", "solutions"
_KINDS = (_FEATURES, _COSTS, _SOLUTIONS)
_NAMED_BY_FILE = ("gold", "features", "costs", "theta", "solver")
_FORM = '{"solver": NAME, "arguments": {...}, "sense": "min" or "max"}'


def file_names(split: str) -> list[str]:
    """Names of a split's files, in the order in which they are written; features come last, and mark a whole split."""
    return [f"{split}_{kind}.npy" for kind in reversed(_KINDS)]


def splits_in(folder: Path) -> list[str]:
    """The splits of which the folder has any file, in the order of ``SPLITS``."""
    return [split for split in SPLITS if any((folder / name).exists() for name in file_names(split))]


def write_problem(folder: Path, solver: str, arguments: dict[str, Any], sense: Sense, made: dict[str, Any]) -> None:
    """Writes ``problem.json``: a name of ``SOLVERS``, its arguments, the sense, and how the data were made."""
    problem = {"solver": solver, "arguments": arguments, "sense": sense, "made": made}
    with replacing(folder / PROBLEM) as file:
        file.write((json.dumps(problem) + "\n").encode())


def write_decisions(folder: Path, split: str, decisions: Decisions) -> None:
    """Writes a split in place of the one that is there, ``<split>_features.npy`` and so on, ``(N, ...)`` float32."""
    (folder / f"{split}_{_FEATURES}.npy").unlink(missing_ok=True)
    arrays = (decisions.gold, decisions.costs, decisions.features)
    for name, array in zip(file_names(split), arrays, strict=True):
        with replacing(folder / name) as file:
            np.save(file, array.numpy())


def has_solutions(folder: Path, split: str) -> bool:
    """True where the file of a split's best solutions is there."""
    return (folder / f"{split}_{_SOLUTIONS}.npy").exists()


def write_solutions(folder: Path, split: str, decisions: Decisions) -> None:
    """Writes the best solutions of a split."""
    with replacing(folder / f"{split}_{_SOLUTIONS}.npy") as file:
        np.save(file, decisions.gold.numpy())


def check_folder(folder: Path) -> None:
    """Refuses what is no folder.

    Raises:
        SourceError: a file, or nothing.
    """
    if not folder.is_dir():
        problem = "is a file" if folder.exists() else "no such folder"
        raise SourceError(folder, f"{problem}; give the folder of a data set's .npy files")


def read_problem(folder: Path) -> tuple[Solver, Sense]:
    """The solver of ``problem.json``, and whether its costs are paid ("min") or gained ("max").

    Raises:
        SourceError: no such file, one of another kind, or arguments that the solver refuses.
    """
    path = folder / PROBLEM
    check_file(path, f"{PROBLEM}, {_FORM}", "problem")
    try:
        problem = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as reason:
        why = "its lists in lists are too deep" if isinstance(reason, RecursionError) else str(reason)[:80]
        raise SourceError(path, f"is no JSON ({why}); write {_FORM}") from reason
    missing = {"solver", "sense"} - set(problem if isinstance(problem, dict) else ())
    if missing:
        raise SourceError(path, f"has no {' and no '.join(sorted(missing))}; it must be {_FORM}")
    name, sense, arguments = problem["solver"], problem["sense"], problem.get("arguments", {})
    if not isinstance(name, str) or name not in SOLVERS:
        raise SourceError(path, f"has solver {shown(name)}; it must be one of {', '.join(SOLVERS)}")
    if sense not in ("min", "max"):
        raise SourceError(path, f"has sense {shown(sense)}; it must be min, where costs are paid, or max")
    if not isinstance(arguments, dict):
        raise SourceError(path, f"has arguments {shown(arguments)}; they must be {{NAME: VALUE, ...}}, as {name} takes them")
    try:
        return SOLVERS[name](**arguments), sense
    except ArgumentError as reason:
        raise SourceError(path, str(reason)) from reason
    except TypeError as reason:
        raise SourceError(path, f"has arguments that {name} does not take ({str(reason)[:120]}); correct them") from reason


def read_decisions(folder: Path, split: str, solver: Solver, sense: Sense) -> Decisions:
    """A split of a data set: features, costs, and solutions, which are solved for where there is no file of them.

    Args:
        folder: where the files are.
        split: "train", "val" or "test".
        solver: that of :func:`read_problem`, or the user's.
        sense: likewise.

    Raises:
        SourceError: a file that is missing or no such array, files that do not fit each other, an instance that the solver
            refuses, or solutions that are not optimal.
    """
    check_folder(folder)
    there = splits_in(folder)
    if split not in there:
        held = f"has no {split} split; there is {' and '.join(there)}" if there else "holds no data set of decisions"
        raise SourceError(folder, f"{held}; add {split}_{_FEATURES}.npy and {split}_{_COSTS}.npy")
    paths = {kind: folder / f"{split}_{kind}.npy" for kind in _KINDS}
    for kind in (_FEATURES, _COSTS):
        if not paths[kind].exists():
            raise SourceError(folder, f"half a data set: {paths[kind].name} is missing; a split needs features and costs")
    features, costs = _read(paths[_FEATURES]), _read(paths[_COSTS])
    if not len(costs):
        raise SourceError(paths[_COSTS], "has no instances; a split needs one or more")
    gold = _read(paths[_SOLUTIONS]) if paths[_SOLUTIONS].exists() else None
    try:
        return Decisions(features, costs, solver, sense=sense, gold=gold)
    except ArgumentError as reason:
        kind = {"gold": _SOLUTIONS, "features": _FEATURES}.get(reason.name, _COSTS)
        name = "" if reason.name in _NAMED_BY_FILE else f"{reason.name}: "  # an argument of the solver
        raise SourceError(paths[kind], f"{name}{reason.verb} {reason.got}; {reason.rule}; {reason.remedy}") from reason


def _read(path: Path) -> torch.Tensor:
    rule = "they must be real numbers; save them as such"
    array: NDArray[Any] = open_array(path, lambda dtype, _: check_numbers(path, dtype, rule), "array")
    return torch.from_numpy(np.array(array))
