"""The problem of a command, be it a map, a graph or a table: parameters, solver, numbers, names and pictures."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_cli.device import find_device
from imle_cli.options.inputs import DeviceName, SenseName
from imle_core import DistinctSolutions
from imle_core.contracts import typical_ones

if TYPE_CHECKING:
    from imle_cli.figures import grounds

_MOST_SHOWN, _FIRST_SHOWN = 40, 20  # of what a solution consists of
Floats = NDArray[np.float64]
Masks = NDArray[np.uint8]
Lines: TypeAlias = list[tuple[str, str]]
"""Names and texts, for a reader."""

Fact: TypeAlias = tuple[dict[str, Any], str]
"""Values for JSON, and the same for a reader."""

Figure: TypeAlias = Any
"""A figure of matplotlib, which only what draws imports."""

Ground: TypeAlias = "grounds.Ground"
"""Ground that solutions are drawn on; only what draws imports it, and matplotlib."""

_SOLUTIONS = {
    "dijkstra": "cheapest paths",
    "path": "paths",
    "min-cut": "cuts",
    "spanning-tree": "spanning trees",
    "spanning-forest": "spanning forests",
    "matching": "matchings",
    "perfect-matching": "perfect matchings",
    "top-k": "sets",
    "knapsack": "knapsacks",
    "assignment": "assignments",
    "partial-assignment": "assignments",
}


def theta_of(numbers: Floats, sense: SenseName, device: DeviceName) -> Tensor:
    """Parameters ``(1, *event)``, which solvers maximise, of numbers whose sum is to be small or large."""
    return torch.from_numpy(numbers if sense == "max" else -numbers)[None].to(find_device(device))


def enumerated(texts: Sequence[str], separator: str = " ") -> str:
    """Texts in a line for a reader: of many the first, and how many more there are."""
    if len(texts) <= _MOST_SHOWN:
        return separator.join(texts)
    return separator.join([*texts[:_FIRST_SHOWN], f"... {len(texts) - _FIRST_SHOWN} more (--json)"])


@dataclass(frozen=True)
class Words:
    """Words of a kind of problem for its numbers.

    Attributes:
        input: the input, "map" for instance.
        things: what a solution consists of, "tiles" for instance.
        extent: how many of them it has, "length" for instance.
        measure: the sum of their numbers, "cost" for instance.
        numbers: these numbers, "costs" for instance.
        chosen: what a solution is called in JSON.
    """

    input: str
    things: str
    extent: str
    measure: str
    numbers: str
    chosen: str = "chosen"


@dataclass(frozen=True)
class Sampled:
    """Outcome of a number of samples.

    Attributes:
        sample: a typical one, ``(*event)``.
        probability: marginals, ``(*event)``.
        error: their standard errors, ``(*event)``; NaN for a single sample.
        count: how many samples.
    """

    sample: Masks
    probability: Floats
    error: Floats
    count: int


@dataclass(frozen=True)
class Problem(ABC):
    """Parameters and the solver that is asked about them.

    Attributes:
        name: what the input is called.
        theta: the parameters, ``(1, *event)``.
        solver_name: the solver's name.
        solver: the solver.
        inputs: files that were read.
        numbers: numbers that a solution adds up, ``(*event)``.
        words: words for these.
    """

    name: str
    theta: Tensor
    solver_name: str
    solver: Callable[[Tensor], Tensor]
    inputs: tuple[Path, ...]
    numbers: Floats

    words: ClassVar[Words]

    @property
    @abstractmethod
    def _size(self) -> Fact:
        """Size of the input."""

    @property
    @abstractmethod
    def _task(self) -> Fact:
        """Task of the solver."""

    @property
    def values(self) -> dict[str, Any]:
        """Values that identify the problem, for JSON."""
        return {self.words.input: self.name, **self._size[0], "solver": self.solver_name, **self._task[0]}

    @property
    def lines(self) -> Lines:
        """Lines that identify the problem, for a reader."""
        return [
            (self.words.input, f"{self.name}, {self._size[1]}"),
            ("solver", f"{self.solver_name}, {self._task[1]}"),
        ]

    @property
    @abstractmethod
    def labels(self) -> Mapping[str, Sequence[Any]]:
        """Columns that name every entry of theta, in order, for a table."""

    @abstractmethod
    def chosen(self, mask: Masks) -> Any:
        """Choices of a solution, for JSON."""

    @abstractmethod
    def chosen_text(self, mask: Masks) -> str:
        """The same for a reader."""

    @property
    @abstractmethod
    def ground(self) -> Ground:
        """Ground that its solutions are drawn on."""

    def draw_solution(self, mask: Masks, title: str) -> Figure:
        """A picture of a solution, ``(*event)``."""
        return self.ground.solution(mask, title)

    def draw_marginals(self, sampled: Sampled, title: str) -> Figure:
        """A picture of one sample and of the marginals."""
        from imle_cli.figures.grounds import Averages

        return self.ground.marginals(Averages(sampled.probability, sampled.error, sampled.sample, sampled.count), title)

    def draw_samples(self, masks: Masks, title: str) -> Figure:
        """A picture of samples, ``(S, *event)``."""
        return self.ground.samples(masks, title)

    def draw_distinct(self, record: DistinctSolutions, title: str) -> Figure:
        """A picture of different solutions with their shares."""
        from imle_cli.figures.ranked import Ranked

        columns = (record.solutions, record.shares, record.standard_errors)
        return self.ground.distinct(Ranked(*(column.cpu().numpy() for column in columns)), title)

    @property
    def solutions(self) -> str:
        """Several of its solutions, in words."""
        return _SOLUTIONS.get(self.solver_name, "solutions")

    @property
    def default_k(self) -> float:
        """The k of Sum-of-Gamma noise: k of its draws sum to a Gumbel variable, so k is the number of ones in a solution.

        It is what the solver says, as where a layer asks it; where it does not know, that of the solution.
        """
        quiet = copy.copy(self.solver)  # whose counts are its own
        return typical_ones(quiet, self.theta.shape[1:]) or max(1.0, float(quiet(self.theta).sum()))

    @property
    def marks(self) -> dict[str, tuple[int, int]]:
        """Entries of theta, in rows and columns, that a picture marks, by their names."""
        return {}

    @property
    def clamps(self) -> bool:
        """True where the solver counts what it clamps to its domain."""
        return getattr(self.solver, "floor", None) is not None

    @property
    def clamped_share(self) -> float:
        """Share of the entries solved so far whose cost was clamped to the solver's domain; 0 for a solver without one."""
        seen = getattr(self.solver, "seen", 0)
        return getattr(self.solver, "clamped", 0) / seen if seen else 0.0

    @property
    def clamped_lines(self) -> Lines:
        """The clamped share for a reader, where the solver counts it."""
        return [(f"clamped {self.words.numbers}", f"{self.clamped_share:.3%}")] if self.clamps else []

    @property
    def kept_share(self) -> float:
        """Share of the backward solutions so far that surely were the forward ones; 0 for a solver that keeps none."""
        offered = getattr(self.solver, "offered", 0)
        return getattr(self.solver, "kept", 0) / offered if offered else 0.0

    def solve(self) -> Masks:
        """The noise-free solution, ``(*event)``."""
        return np.asarray(self.solver(self.theta)[0].cpu().numpy(), dtype=np.uint8)

    def table(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, Sequence[Any]]:
        """Columns of numbers, each of as many entries as theta, beside those that name the entries."""
        return {**self.labels, **{name: column.ravel().tolist() for name, column in columns.items()}}

    def total(self, mask: NDArray[Any]) -> float:
        """Sum ``<mask, numbers>`` of a solution or, expected, of marginals; infinite where such an entry is chosen."""
        taken = mask != 0
        return float((mask[taken] * self.numbers[taken]).sum())

    @property
    def title(self) -> str:
        """The input's name in a picture."""
        return Path(self.name).name if self.inputs else f"{self.name} map"

    def picture(self, command: str, stem: str | None = None) -> Path:
        """Path of a command's picture that nothing else was said of; its stem is that of the input, or another one."""
        return Path(f"{stem or (Path(self.name).stem if self.inputs else 'map')}-{command}.png")
