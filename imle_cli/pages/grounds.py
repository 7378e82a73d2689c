"""Problems as data of pages, for ``scripts/pictures.js``: what solutions are drawn upon, numbers, names, and words."""

from typing import Any

import numpy as np

from imle_cli.problems.problem import Problem


def described(problem: Problem) -> dict[str, Any]:
    """The ground of a problem's solutions, and words for these and their numbers."""
    words = problem.words
    spoken = {"things": words.things, "extent": words.extent, "measure": words.measure, "number": words.numbers[:-1]}
    return {"ground": {"numbers": problem.numbers, **_drawn(problem)}, "words": spoken}


def _drawn(problem: Problem) -> dict[str, Any]:
    """The kind of the picture, and its parts besides numbers."""
    from imle_cli.figures.grounds import ItemTable, Network, PairTable  # here, since it imports matplotlib

    match problem.ground:
        case Network(drawing):
            lines = {"segments": drawing.segments, "ends": drawing.ends.astype(np.int32), "directed": drawing.directed}
            nodes = {"names": drawing.names, "positions": drawing.positions, "marked": list(drawing.marked)}
            return {"kind": "graph", **nodes, **lines}
        case ItemTable(items):
            return {"kind": "items", "names": items.names, "weights": items.weights, "capacity": items.capacity}
        case PairTable(pairs):
            return {"kind": "pairs", "rows": pairs.rows, "columns": pairs.columns}
    ends = [row * problem.numbers.shape[1] + column for row, column in problem.marks.values()]
    return {"kind": "map", "ends": ends or None, "moves": getattr(problem.solver, "moves", None)}
