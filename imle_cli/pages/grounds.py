"""Problems as data of pages, for ``scripts/pictures.js``."""

from typing import Any

from imle_cli.problems.problem import Problem


def described(problem: Problem) -> dict[str, Any]:
    """What solutions of a problem are drawn upon, and words for them and their numbers."""
    words = problem.words
    spoken = {"things": words.things, "extent": words.extent, "measure": words.measure, "number": words.numbers[:-1]}
    return {"ground": problem.ground, "words": spoken}
