"""Grounds: what solutions lie on, be it a map, a graph, items or pairs; each draws a solution, marginals and samples."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from matplotlib.figure import Figure

from imle_cli.figures import graphs, items, maps, overlaid_paths, pairs
from imle_cli.figures.canvas import Floats, Mask
from imle_cli.figures.maps import Tiles
from imle_cli.figures.ranked import Ranked


@dataclass(frozen=True)
class Averages:
    """Means of samples.

    Attributes:
        probability: marginals, ``(*event)``, mostly in [0, 1].
        error: their standard errors, ``(*event)``, NaN where they are not known; None if none is.
        sample: a sample, ``(*event)``; None where there is none to be shown.
        count: how many samples; None if that is not known.
    """

    probability: Floats
    error: Floats | None = None
    sample: Mask | None = None
    count: int | None = None


class Ground(Protocol):
    """Pictures of solutions; titles are taken literally and shortened to fit."""

    def solution(self, mask: Mask, title: str) -> Figure:
        """One solution, ``(*event)``."""

    def marginals(self, averages: Averages, title: str) -> Figure:
        """Marginals, and one sample beside them."""

    def samples(self, masks: Mask, title: str) -> Figure:
        """Samples, ``(S, *event)``."""

    def distinct(self, ranked: Ranked, title: str) -> Figure:
        """Different solutions and their shares of the samples."""


@dataclass(frozen=True)
class Terrain:
    """A map.

    Attributes:
        costs: ``(H, W)``, +inf is a wall; None for tiles without costs.
        tiles: the tiles of a solution in order, ``(L, 2)``; None for a solution that is no path.
    """

    costs: Floats | None
    tiles: Callable[[Mask], Tiles | None]

    def solution(self, mask: Mask, title: str) -> Figure:
        """The map with the solution on it."""
        return maps.map_figure(self.costs, mask, self.tiles(mask), title=title)

    def marginals(self, averages: Averages, title: str) -> Figure:
        """The map, one sample on it, and marginals as colours of tiles."""
        sample = averages.sample
        line = None if sample is None else self.tiles(sample)
        facts: dict[str, Any] = {"samples": averages.count, "error": averages.error}
        return maps.marginals_figure(self.costs, sample, averages.probability, line, title=title, **facts)

    def samples(self, masks: Mask, title: str) -> Figure:
        """Small maps side by side."""
        shown = masks[: maps.SHEET_MAPS]
        return maps.sample_sheet(self.costs, masks, [self.tiles(mask) for mask in shown], title=title)

    def distinct(self, ranked: Ranked, title: str) -> Figure:
        """Paths over each other; solutions that are no paths side by side."""
        shown = ranked.first(overlaid_paths.OVERLAID)
        paths = [path for mask in shown.masks if (path := self.tiles(mask)) is not None]
        if self.costs is None or len(paths) < len(shown):
            return maps.distinct_tiles_figure(self.costs, ranked, title=title)
        return overlaid_paths.paths_figure(self.costs, paths, shown.texts, title=title)


@dataclass(frozen=True)
class Network:
    """A graph whose edges are chosen."""

    drawing: graphs.Drawing

    def solution(self, mask: Mask, title: str) -> Figure:
        """The graph with the solution's edges."""
        return graphs.solution_figure(self.drawing, mask, title=title)

    def marginals(self, averages: Averages, title: str) -> Figure:
        """The graph with one sample, and marginals as colours of edges."""
        facts: dict[str, Any] = {"samples": averages.count, "error": averages.error}
        return graphs.marginals_figure(self.drawing, averages.sample, averages.probability, title=title, **facts)

    def samples(self, masks: Mask, title: str) -> Figure:
        """Small graphs side by side."""
        return graphs.samples_figure(self.drawing, masks, title=title)

    def distinct(self, ranked: Ranked, title: str) -> Figure:
        """Small graphs side by side."""
        return graphs.distinct_figure(self.drawing, ranked, title=title)


@dataclass(frozen=True)
class ItemTable:
    """Items that are chosen, or any entries in a row."""

    items: items.Items

    def solution(self, mask: Mask, title: str) -> Figure:
        """A bar for each score, those of the solution in another colour."""
        return items.item_figure(self.items, mask.ravel(), title=title)

    def marginals(self, averages: Averages, title: str) -> Figure:
        """Bars of scores with one sample, and bars of marginals."""
        sample, error = (None if row is None else row.ravel() for row in (averages.sample, averages.error))
        facts: dict[str, Any] = {"title": title, "samples": averages.count}
        return items.item_marginals_figure(self.items, sample, averages.probability.ravel(), error, **facts)

    def samples(self, masks: Mask, title: str) -> Figure:
        """A row for each sample, a column for each item."""
        return items.item_samples_figure(self.items, masks.reshape(len(masks), -1), title=title)

    def distinct(self, ranked: Ranked, title: str) -> Figure:
        """A row for each solution, a column for each item, a bar for each share."""
        rows = replace(ranked, masks=ranked.masks.reshape(len(ranked), -1))
        return items.distinct_items_figure(self.items, rows, title=title)


@dataclass(frozen=True)
class PairTable:
    """Pairs of rows and columns that are chosen."""

    pairs: pairs.Pairs

    def solution(self, mask: Mask, title: str) -> Figure:
        """The scores as a matrix, with the solution's pairs marked."""
        return pairs.pair_figure(self.pairs, mask, title=title)

    def marginals(self, averages: Averages, title: str) -> Figure:
        """The scores with one sample, and the marginals, as matrices."""
        facts: dict[str, Any] = {"samples": averages.count, "error": averages.error}
        return pairs.pair_marginals_figure(self.pairs, averages.sample, averages.probability, title=title, **facts)

    def samples(self, masks: Mask, title: str) -> Figure:
        """Small matrices side by side."""
        return pairs.pair_samples_figure(np.asarray(masks), title=title)

    def distinct(self, ranked: Ranked, title: str) -> Figure:
        """Small matrices side by side."""
        return pairs.distinct_pairs_figure(self.pairs, ranked, title=title)
