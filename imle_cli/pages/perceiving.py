"""The page of a training on images: predictions for a few maps, record by record, and how good paths are."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from imle_cli.films.perception import PerceptionFilms
from imle_cli.pages.facts import fact_list
from imle_cli.pages.in_place_of_films import OnePage
from imle_cli.pages.page import page
from imle_cli.pages.runs import STILL_SIZE, last_frame, thinned
from imle_cli.runs.perception import Views

_MOST_COSTS = 2**20  # of all records
_MAP = """\
<section class="card"><h2>Map {number}</h2>
<div class="pair"><div id="image-{number}"></div><div id="costs-{number}"></div></div>
</section>
"""
_BODY = """\
<p>A network sees an image of a map and predicts what each tile costs. The cheapest path under these costs is compared with
the gold path. Regret is how much more it costs, under the true costs.</p>
<div class="cards">
<section class="card wide" id="controls"></section>
</div>
<div class="cards wider">
{maps}
</div>
<div class="cards beside">
<section class="card" id="regrets"><h2>Regret on these maps</h2></section>
<section class="card" id="epochs"><h2>All maps that epochs are judged by</h2></section>
<section class="card"><h2>Numbers</h2>{facts}</section>
</div>
"""


def page_of(
    views: Views,
    epochs: Sequence[dict[str, Any]],
    estimator: str,
    facts: Sequence[tuple[str, str]],
    records: int | None = None,
) -> OnePage:
    """The page, in the place of :class:`.PerceptionFilms`.

    Args:
        views: what was recorded.
        epochs: rows of the run's metrics.
        estimator: by what it learned.
        facts: names and texts of what was asked.
        records: how many records there may be, evenly spaced; by default all, of a very large run fewer.

    Raises:
        RunError: nothing was recorded.
    """
    film = PerceptionFilms(views, estimator, STILL_SIZE, 1)
    shown = thinned(views, records or _MOST_COSTS // views.gold.size)
    title = f"Training on images: {estimator}"
    return OnePage(
        "perceiving", len(shown.steps), lambda _: _page(shown, epochs, title, facts, last_frame(film, "perceiving"))
    )


def _page(
    views: Views, epochs: Sequence[dict[str, Any]], title: str, facts: Sequence[tuple[str, str]], still: bytes
) -> bytes:
    maps = range(1, len(views.gold) + 1)
    live = [("steps", "step"), *((f"path on map {number}", f"regret-{number}") for number in maps)]
    body = _BODY.format(maps="".join(_MAP.format(number=number) for number in maps), facts=fact_list(facts, live))
    data = {
        "images": views.images,
        "gold": views.gold.astype(bool),
        "truth": views.truth,
        "steps": np.array(views.steps, dtype=np.int32),
        "costs": np.array(views.costs),
        "paths": np.array(views.paths, dtype=bool),
        "epochs": [{name: row[name] for name in ("epoch", "optimal", "regret")} for row in epochs],
    }
    text = "The last record of the training."
    return page(title, body, data, "perceiving.js", still=still, still_text=text, styles=("reports.css",)).encode()
