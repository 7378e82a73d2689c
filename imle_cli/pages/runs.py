"""The page of a training of weights: every record of it, with weights, path and gold path, and the loss of every step."""

import math
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imle_cli.films.timing import Films, evenly
from imle_cli.films.training import RunFilms
from imle_cli.pages.facts import fact_list
from imle_cli.pages.grounds import described
from imle_cli.pages.in_place_of_films import OnePage
from imle_cli.pages.page import page
from imle_cli.problems.map import MapProblem
from imle_cli.runs.history import SomeHistory
from imle_cli.runs.training import Row, TrainingHistory

STILL_SIZE = 480  # pixels of the longer side of a still picture
_DIGITS = 5  # of the largest weight; the others have as many decimals
_MOST_WEIGHTS = 2**22  # of all records
_BODY = """\
<p>Costs of tiles are learned, until the best solution under them is the gold one. Each step compares samples with the gold
solution and moves the costs a little.</p>
<div class="cards beside">
<section class="card" id="path"><h2>Solution</h2></section>
<section class="card" id="weights"><h2>Learned costs</h2></section>
<div class="stack">
<section class="card" id="controls"></section>
<section class="card"><h2>Numbers</h2>{facts}</section>
</div>
<section class="card wide" id="loss"><h2>Wrong tiles</h2></section>
</div>
"""
_LIVE = [("step", "step"), ("loss", "loss-now"), ("solution", "distance")]


def page_of(
    history: TrainingHistory,
    rows: Sequence[Row],
    problem: MapProblem,
    options: dict[str, Any],
    facts: Sequence[tuple[str, str]],
    records: int | None = None,
) -> OnePage:
    """The page, in the place of :class:`.RunFilms`.

    Args:
        history: what was recorded.
        rows: its metrics, from step 0 on; those of a run that was killed may end before the records do.
        problem: the map, and the solver that it asked.
        options: its options.
        facts: names and texts of what it was asked.
        records: how many records there may be, evenly spaced; by default all, of a very large run fewer.

    Raises:
        RunError: nothing was recorded.
    """
    film = RunFilms(history, list(rows), options, STILL_SIZE, 1)
    shown = thinned(history.until(rows[-1][0]), records or _MOST_WEIGHTS // history.gold.size)
    return OnePage("learning", len(shown.steps), lambda _: _page(shown, rows, problem, facts, last_frame(film, "learning")))


def thinned(history: SomeHistory, most: int) -> SomeHistory:
    """A history of at most so many records, evenly spaced, the last among them; of one at least."""
    return history.at(evenly(len(history.steps), max(1, most)).tolist())


def last_frame(films: Films, name: str) -> bytes:
    """A film of one frame as a PNG."""
    file = BytesIO()
    films.write(file, name, "apng", 1.0)
    return file.getvalue()


def in_whole_numbers(values: NDArray[np.float64]) -> tuple[NDArray[np.int32], int]:
    """Numbers rounded to ``d`` decimals, times ``10^d``, and d: the largest has five digits; d may be negative."""
    largest = float(np.abs(values).max(initial=0.0))
    decimals = _DIGITS - 1 - math.floor(math.log10(largest)) if largest > 0 else 0
    half = decimals // 2  # in two factors, since the power of ten alone may be infinite
    return np.rint(values * 10.0**half * 10.0 ** (decimals - half)).astype(np.int32), decimals


def changes(values: NDArray[np.int32]) -> NDArray[np.int16] | NDArray[np.int32]:
    """Differences from record to record of whole numbers ``(R, N)``, ``(N, R)``; the first are from 0.

    Those of an entry stand together, for they are alike, so that they take little room when they are compressed.
    """
    differences: NDArray[np.int32] = np.diff(values, axis=0, prepend=np.int32(0)).T
    narrow: NDArray[np.int16] = differences.astype(np.int16)
    return narrow if (narrow == differences).all() else differences


def _page(
    history: TrainingHistory, rows: Sequence[Row], problem: MapProblem, facts: Sequence[tuple[str, str]], still: bytes
) -> bytes:
    first = next((f"first at step {step}" for step, _, distance in rows if distance == 0), "not reached")
    lines = [*problem.lines, *facts, ("gold", first)]
    body = _BODY.format(facts=fact_list(lines, _LIVE))
    data = described(problem) | _recorded(history)
    data |= {"losses": np.array([loss for _, loss, _ in rows])}
    data |= {"distances": np.array([distance for _, _, distance in rows], dtype=np.int32)}
    title, text = f"{problem.title}: training", "The last record of the training."
    return page(title, body, data, "run.js", still=still, still_text=text, styles=("reports.css",)).encode()


def _recorded(history: TrainingHistory) -> dict[str, Any]:
    """Arrays of the records; weights rounded to a number of decimals."""
    weights = np.array(history.weights, dtype=np.float64)
    weights[:, np.isinf(history.costs)] = 0.0  # those of walls are infinite
    rounded, decimals = in_whole_numbers(weights)
    return {
        "gold": history.gold.astype(bool),
        "steps": np.array(history.steps, dtype=np.int32),
        "weights": changes(rounded.reshape(len(rounded), -1)),
        "decimals": decimals,
        "solutions": np.array(history.solutions, dtype=bool),
        "samples": np.array(history.samples, dtype=bool),
    }
