"""A function of one instance as a batched solver: repeats solved once, rows spread over threads, processes or a cluster."""

import math
import signal
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_core.solvers.black_box_task import Failure, Task, solve, solve_all
from imle_core.solvers.rows import as_rows

Executor = Literal["serial", "threads", "processes", "joblib"]
Fallback = Literal["error", "previous"]
Outcome = NDArray[Any] | Failure

_CHUNKS_A_JOB = 4
_NOTHING: tuple[tuple[Any, ...], dict[str, Any]] = (), {}


class SolveError(RuntimeError):
    """A function that failed for one instance.

    Attributes:
        row: number of its row in the call.
        theta: its parameters, ``(*event)``, to be saved and looked at.
    """

    def __init__(self, message: str, row: int, theta: NDArray[Any]) -> None:
        super().__init__(message)
        self.row, self.theta = row, theta


class BlackBox:
    """``z_n = function(theta_n)``, row by row: any function of one instance becomes a solver of batches.

    Rows that are equal to the bit are solved once in a call, such as the samples of an instance where a temperature is 0;
    with a ``cache`` also from call to call, such as backward rows whose upstream gradient is 0, which repeat forward ones.
    Results are in order and do not depend on the executor.
    More arguments of a call are per instance: ``solver(theta, graph=[...])`` has one entry for each of B instances, and with
    ``N = B*S`` rows, entry b goes to the rows ``b*S, ..., b*S + S - 1``, the samples of instance b.

    Args:
        function: maximises ``<z, theta>`` for one instance, ``(*event) -> (*event)``; it gets a copy that it may change.
        arrays: give it NumPy arrays instead of tensors; it may return either, or lists.
        executor: "serial"; "threads", for functions that let go of the interpreter's lock; "processes" on this machine; or
            "joblib", whatever ``joblib.parallel_config`` has chosen, a Dask or Ray cluster among others.
        jobs: how many solves at a time; as many as there are cores if None (of "joblib", what its configuration says).
        chunk: rows that a worker gets at once; a fair share if None.
        time_limit: seconds that a solve may take; not with threads. Python code is interrupted by it at once, code in other
            languages when it comes back to the interpreter.
        fallback: what then happens: "error", or "previous", the row's solution in the call before, counted in
            ``fallbacks``.
        cache: how many solutions to keep for later calls without further arguments; the oldest go first.

    Attributes:
        rows: how many rows were asked for so far.
        solved: how many of them the function was called for; the others repeated one of these.
        fallbacks: how often the time limit was met.

    Raises:
        ValueError: a setting outside its range; when called, arguments that do not have one entry for each instance.
        TypeError: a function that cannot be called.
        SolveError: when called, a function that raises, takes too long, ends its process twice, or gives something else
            than numbers of the instance's shape. Workers are ended by Ctrl-C.

    >>> BlackBox(lambda theta: theta > 0)(torch.tensor([[1.0, -1.0], [1.0, -1.0]]))
    tensor([[1., 0.],
            [1., 0.]])
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        arrays: bool = False,
        executor: Executor = "serial",
        jobs: int | None = None,
        chunk: int | None = None,
        time_limit: float | None = None,
        fallback: Fallback = "error",
        cache: int = 0,
    ) -> None:
        if not callable(function):
            raise TypeError(f"function: got {type(function).__name__}; it must be callable; give a function of one instance")
        for name, value, choices in (("executor", executor, Executor), ("fallback", fallback, Fallback)):
            if value not in get_args(choices):
                raise ValueError(f"{name}: got {value!r}; it must be one of {', '.join(map(repr, get_args(choices)))}")
        for name, number, least in (("jobs", jobs, 1), ("chunk", chunk, 1), ("cache", cache, 0)):
            if number is not None and (not isinstance(number, int) or number < least):
                raise ValueError(
                    f"{name}: got {number!r}; it must be a whole number >= {least}; leave it out for the usual one"
                )
        if time_limit is not None and not (math.isfinite(time_limit) and time_limit > 0):
            raise ValueError(f"time_limit: got {time_limit!r}; it must be seconds > 0; use None for no limit")
        if time_limit is not None and executor == "threads":
            raise ValueError("time_limit: threads cannot be interrupted; take executor='processes'")
        if time_limit is not None and not hasattr(signal, "setitimer"):
            raise ValueError("time_limit: this system cannot interrupt a function; leave it out")
        self.function, self.arrays, self.executor, self.jobs = function, arrays, executor, jobs
        self.chunk, self.time_limit, self.fallback, self.cache = chunk, time_limit, fallback, cache
        self.rows = self.solved = self.fallbacks = 0
        self._kept: OrderedDict[Any, NDArray[Any]] = OrderedDict()
        self._previous: NDArray[Any] | None = None

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return f"BlackBox({name}, executor={self.executor!r})"

    def __call__(self, theta: Tensor, *args: Sequence[Any], **kwargs: Sequence[Any]) -> Tensor:
        """Solutions ``(N, *event)`` for parameters ``(N, *event)``, in theta's type and on its device."""
        if theta.dim() == 0:
            raise ValueError("theta: got a single number; it must be (N, *event); use theta.unsqueeze(0) for one instance")
        rows = as_rows(theta)
        samples = _samples(len(rows), args, kwargs)
        solutions = np.empty_like(rows)
        asked: dict[Any, list[int]] = {}
        for row, parameters in enumerate(rows):
            asked.setdefault((row // samples if samples else None, parameters.tobytes()), []).append(row)
        open_keys = [key for key in asked if not self._known(key, asked[key], solutions)]
        tasks = [Task(rows[asked[key][0]], *_entry(asked[key][0], samples, args, kwargs)) for key in open_keys]
        for key, outcome in zip(open_keys, self._outcomes(tasks), strict=True):
            places = asked[key]
            solution, is_new = self._checked(outcome, places[0], rows[places[0]])
            solutions[places] = solution
            if is_new and self.cache and not samples:
                self._kept[self._name(key, rows)] = solution
        while len(self._kept) > self.cache:
            self._kept.popitem(last=False)
        self.rows += len(rows)
        self.solved += len(tasks)
        self._previous = solutions
        return torch.from_numpy(solutions.copy()).to(theta)

    def _known(self, key: Any, places: list[int], solutions: NDArray[Any]) -> bool:
        """Fills in a solution of an earlier call, if there is one."""
        name = self._name(key, solutions)
        if key[0] is not None or name not in self._kept:
            return False
        self._kept.move_to_end(name)
        solutions[places] = self._kept[name]
        return True

    @staticmethod
    def _name(key: Any, rows: NDArray[Any]) -> Any:
        return key[1], rows.shape[1:], rows.dtype.str

    def _checked(self, outcome: Outcome, row: int, theta: NDArray[Any]) -> tuple[NDArray[Any], bool]:
        """The solution, and whether it is one; else that of the call before."""
        if isinstance(outcome, Failure):
            if outcome.late and self.fallback == "previous":
                if self._previous is None or len(self._previous) <= row or self._previous.shape[1:] != theta.shape:
                    raise SolveError(f"function: {outcome.reason} for row {row}, which has no earlier solution", row, theta)
                self.fallbacks += 1
                return self._previous[row], False
            raise SolveError(f"function: {outcome.reason} for row {row}; see .theta of this error", row, theta) from (
                outcome.error
            )
        if outcome.shape != theta.shape:
            raise SolveError(
                f"function: gave shape {outcome.shape} for row {row} of shape {theta.shape}; it must give (*event) for "
                "(*event), without a batch axis",
                row,
                theta,
            )
        if np.isnan(outcome).any():
            raise SolveError(
                f"function: gave NaN for row {row}; a solution has numbers; see .theta of this error", row, theta
            )
        return outcome, True

    def _outcomes(self, tasks: list[Task]) -> Iterator[Outcome]:
        settings = self.function, self.arrays, self.time_limit
        if self.executor == "serial":
            yield from (solve(task, *settings) for task in tasks)
            return
        from joblib import Parallel, cpu_count, delayed  # here, since it takes a while to import

        backend = {"threads": "threading", "processes": "loky", "joblib": None}[self.executor]
        jobs = self.jobs if self.jobs or self.executor == "joblib" else cpu_count()
        share = self.chunk or max(1, math.ceil(len(tasks) / (_CHUNKS_A_JOB * (self.jobs or cpu_count()))))
        chunks = [tasks[first : first + share] for first in range(0, len(tasks), share)]
        form = "list" if backend is None else "generator"  # which not every backend has
        ended = 0
        try:
            parallel = Parallel(n_jobs=jobs, backend=backend, return_as=form, batch_size=1, max_nbytes=None)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message=".* tasks which were still being processed")  # after a failure
                for outcomes in parallel(delayed(solve_all)(chunk, *settings) for chunk in chunks):
                    ended += 1
                    yield from outcomes
        except BrokenExecutor:
            # A worker died, and with it all that was under way: once more, row by row, so that the guilty one is found.
            for task in (task for chunk in chunks[ended:] for task in chunk):
                try:
                    (outcomes,) = Parallel(n_jobs=2, backend="loky")([delayed(solve_all)([task], *settings)])
                except BrokenExecutor:
                    outcomes = [Failure("its process died twice")]
                yield from outcomes


def _samples(rows: int, args: tuple[Sequence[Any], ...], kwargs: dict[str, Sequence[Any]]) -> int:
    """How many rows an entry of the further arguments is for; 0 without such arguments."""
    counts = {len(entries) for entries in (*args, *kwargs.values())}
    if not counts:
        return 0
    if len(counts) > 1 or 0 in counts or rows % max(counts):
        got = " and ".join(map(str, sorted(counts)))
        raise ValueError(
            f"arguments: got {got} entries for {rows} rows; each must have one entry for each instance, and rows a multiple "
            "of instances"
        )
    return rows // max(counts)


def _entry(
    row: int, samples: int, args: tuple[Sequence[Any], ...], kwargs: dict[str, Sequence[Any]]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if not samples:
        return _NOTHING  # shared: objects by the thousand would call the garbage collector
    instance = row // samples
    return tuple(entries[instance] for entries in args), {name: entries[instance] for name, entries in kwargs.items()}
