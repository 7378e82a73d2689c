"""The page of ``imle explain``: the estimator on a map, solved in the page, beside words for what happens."""

from importlib.resources import files

import numpy as np
import torch
from numpy.typing import NDArray

from imle_cli.options.learning import LiveOptions
from imle_cli.pages.page import page, text
from imle_cli.problems.map import MapProblem
from imle_core import NoiseDistribution
from imle_core.solvers import GridPath

_POOL = 16_384  # numbers of noise from which the page draws; a power of 2
_WORDS = "The map with one sampled path, and how often each tile is on the path under noise."


def explain_page(
    title: str, problem: MapProblem, noise: NoiseDistribution | None, live: LiveOptions, seed: int, *, still: bytes
) -> str:
    """A page on which the reader draws on a map, moves temperatures and lambda, and sees a gradient and how it teaches.

    Args:
        title: its heading.
        problem: a map and its paths; the page's own solver gives the same tiles.
        noise: the noise; None for none.
        live: where the controls stand at first.
        seed: seed of the noise, below 2^31.
        still: a PNG for readers without scripts.
    """
    solver, (height, width) = problem.solver, problem.costs.shape
    assert isinstance(solver, GridPath)  # the page has no other
    start, goal = solver.ends(height, width)
    data = {
        "height": height,
        "width": width,
        "moves": solver.moves,
        "floor": solver.floor,
        "start": start[0] * width + start[1],
        "goal": goal[0] * width + goal[1],
        "costs": problem.costs,
        "pool": _pool(noise, seed),
        "settings": {  # under the names of scripts/explain/estimator.js and learner.js
            "tauIn": live.input_temp,
            "tauTarget": live.target_temp,
            "lambda": live.beta,
            "samples": live.samples,
            "eta": live.lr,
            "seed": seed,
            "beginning": "flat",
            "meanLoss": False,
        },
    }
    body = (files("imle_cli.pages") / "explain.html").read_text(encoding="utf-8")
    body = body.format(floor=f"{solver.floor:g}", noise=text(str(noise) if noise else "none"), count=_POOL)
    return page(title, body, data, "explain/main.js", still=still, still_text=_WORDS, styles=["explain.css"])


def _pool(noise: NoiseDistribution | None, seed: int) -> NDArray[np.float32]:
    """Draws of the noise, sorted, since near numbers take less room; the page takes them in an order of its own."""
    if noise is None:
        return np.zeros(_POOL, np.float32)
    drawn = noise.sample((_POOL,), dtype=torch.float32, generator=torch.Generator().manual_seed(seed))
    return np.sort(drawn.numpy())
