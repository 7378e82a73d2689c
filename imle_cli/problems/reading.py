"""The kind of a command's input: a map, a graph, or a table of scores."""

from pathlib import Path
from typing import get_args

from imle_cli.files.endings import GRAPH_ENDINGS, STATING_ENDINGS, TABLE_ENDINGS, UNREAD
from imle_cli.files.maps.tables import holds_numbers_alone
from imle_cli.files.maps.terrain import check_known
from imle_cli.files.sources import ending
from imle_cli.messages import UsageError
from imle_cli.options.checks import option_of
from imle_cli.options.inputs import DeviceName, InputOptions, MapSolverName, SolverOptions
from imle_cli.problems.map import read_map_problem
from imle_cli.problems.problem import Problem
from imle_cli.problems.scores import read_item_problem, read_pair_problem

_GRAPH_SOLVERS = ("path", "min-cut", "spanning-tree", "spanning-forest", "matching", "perfect-matching")
_PAIR_SOLVERS = ("assignment", "partial-assignment")

# Options that belong to some kinds of input or solvers only.
_MAP = {"grid", "min_cost", "max_cost", "engine", "top_k", "moves", "start", "goal", "floor"}
_GRAPH = {"weight", "directed", "sense"}
_ENDS = {"start", "goal", "floor"}
_SPECIAL = _MAP | _GRAPH | {"score", "capacity"}


def read_problem(options: InputOptions, choice: SolverOptions, device: DeviceName, given: frozenset[str]) -> Problem:
    """Reads the input and makes the solver; what a table holds follows from the solver.

    Args:
        options: which input, and how it is read.
        choice: which solver.
        device: where to compute.
        given: names of the options that the user gave.

    Raises:
        UsageError: options that do not fit each other or the input.
        ValueError: an input that cannot be used.
    """
    kind, solver = "" if options.map is None else ending(options.map), choice.solver
    is_table = kind in TABLE_ENDINGS
    if options.map is not None and kind in UNREAD:
        check_known(options.map)
    cpu: DeviceName = "cpu" if device == "auto" else device  # where most solvers work
    if kind in GRAPH_ENDINGS or (is_table and solver in _GRAPH_SOLVERS):
        if solver not in (*_GRAPH_SOLVERS, "dijkstra"):
            raise UsageError(f"--solver: got {solver}; a graph has {', '.join(_GRAPH_SOLVERS)}; choose one of them")
        ends = solver in ("dijkstra", "path", "min-cut")
        says_itself = kind in STATING_ENDINGS and options.directed is not False
        _check_given(
            given, (_GRAPH | _ENDS if ends else _GRAPH) - ({"directed"} if says_itself else set()), solver, "a graph"
        )
        from imle_cli.problems.graph import read_graph_problem  # here, since networkx takes long to import

        return read_graph_problem(options, choice, cpu, choice.floor if "floor" in given else None)
    if is_table and solver in ("top-k", "knapsack") and not (solver == "top-k" and _is_map(options.map, kind)):
        _check_given(
            given, {"score"} | ({"top_k", "sense"} if solver == "top-k" else {"weight", "capacity"}), solver, "items"
        )
        return read_item_problem(options, choice, device)
    if is_table and solver in _PAIR_SOLVERS:
        _check_given(given, {"sense"}, solver, "pairs")
        return read_pair_problem(options, choice, cpu)
    if solver not in get_args(MapSolverName):
        what = "a graph: a .graphml, .gml, .gexf or .csv file" if solver in _GRAPH_SOLVERS else "scores: a .csv file"
        raise UsageError(f"--solver: got {solver}; it needs {what}; a map has {', '.join(get_args(MapSolverName))}")
    _check_given(given, _MAP, solver, "a map")
    return read_map_problem(options, choice, device, surely="solver" in given)


def _is_map(path: Path | None, kind: str) -> bool:
    """True of a table to choose the best k of that is a map: a text of another ending than those of tables, all numbers."""
    return path is not None and kind not in (".csv", ".tsv") and holds_numbers_alone(path)


def _check_given(given: frozenset[str], fitting: set[str], solver: str, kind: str) -> None:
    foreign = sorted(given & (_SPECIAL - fitting))
    if foreign:
        raise UsageError(f"{option_of(foreign[0])}: it does not go with --solver {solver} on {kind}; leave it out")
