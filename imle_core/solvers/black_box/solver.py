"""A function of one instance as a batched solver: repeats solved once, rows spread over threads, processes or a cluster."""

import math
from collections.abc import Callable, Hashable, Sequence
from contextlib import closing
from copy import copy
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imle_core.checks import ArgumentError, ArgumentTypeError, check_name, check_not_learned, check_whole
from imle_core.concurrency import OwnLock
from imle_core.contracts import Form, declared, is_container, kept
from imle_core.solvers.black_box.answer import Answer, Answers
from imle_core.solvers.black_box.arguments import Arguments
from imle_core.solvers.black_box.executors import Executor, solve_by
from imle_core.solvers.black_box.memory import Call, Memory
from imle_core.solvers.black_box.of_structure import OfStructure
from imle_core.solvers.black_box.padded_rows import PaddedRows
from imle_core.solvers.black_box.task import INTERRUPTS, Failure, TaskSettings
from imle_core.solvers.rows import as_rows, in_type_of

Fallback = Literal["error", "previous"]


class SolveError(RuntimeError):
    """A function that failed for one instance.

    Attributes:
        row: number of its row in the call.
        theta: its parameters, ``(*event)``, to be looked at, or saved: ``numpy.save(path, error.theta)``.
        arguments: its further arguments, those by position under 1, 2, ...
    """

    def __init__(self, message: str, row: int, theta: NDArray[Any], arguments: dict[int | str, Any] | None = None) -> None:
        super().__init__(message)
        self.row, self.theta, self.arguments = row, theta, arguments or {}

    def __reduce__(self) -> tuple[type["SolveError"], tuple[Any, ...]]:
        return type(self), (*self.args, self.row, self.theta, self.arguments)


class BlackBox:
    """``z_n = function(theta_n)``, row by row: any function of one instance becomes a solver of batches.

    Rows that are equal to the bit are solved once in a call, such as the samples of an instance where a temperature is 0.
    In a backward pass, so are rows of the last forward call, those of samples whose upstream gradient is 0 or so small
    that lambda times it is rounded away; with a ``cache``, those of any call without further arguments.
    Results are in order and do not depend on the executor. Where theta is a structure of several tensors, the function gets
    such a structure of one instance and gives one of tensors or arrays.
    More arguments of a call are per instance: ``solver(theta, graph=[...])`` has one entry for each of B instances, and with
    ``N = B*S`` rows, entry b goes to the rows ``b*S, ..., b*S + S - 1``, the samples of instance b.

    Args:
        function: maximises ``<z, theta>`` for one instance, ``(*event) -> (*event)``; it gets a copy that it may change,
            and gives the solution, in theta's shape: for distances ``(n, n)`` a matrix with ones at the edges of a tour,
            not the nodes in their order. These may follow in a tuple ``(z, *others)``: of each of such further outputs the
            solver gives a list, with an entry for each row. Its attributes ``domain`` and ``sense``, if it has them, become
            the solver's.
        arrays: give it NumPy arrays instead of tensors; it may return either, or lists.
        executor: "serial"; "threads", for functions that let go of the interpreter's lock; "processes" on this machine,
            where a worker that dies costs no more than the rows under way, which are solved once more; or "joblib",
            whatever ``joblib.parallel_config`` has chosen, a Dask or Ray cluster among others. (joblib waits for ever for
            Dask workers that died.)
        jobs: how many solves at a time; as many as there are cores if None. For "joblib", what its configuration says,
            where Ray has one if ``n_jobs`` is left out.
        chunk: rows that a worker gets at once; a fair share if None.
        time_limit: seconds that a solve may take; not in threads. Python code is interrupted by it at once, code in other
            languages when it comes back to the interpreter. A process that has not come back half a second later is
            ended, and the others go on with new ones, which takes a second or two.
        fallback: what then happens: "error", or "previous", counted in ``fallbacks``: the solution of the same row in the
            last forward call, which in a backward pass makes the sample's gradient 0, and in a forward pass is worth
            something only if every batch has the same instances in the same places.
        cache: how many solutions to keep for later calls; the oldest go first.
        repeats: solve equal rows once, which takes the memory of one batch; False for a function that draws at random.

    Attributes:
        rows: how many rows were asked for so far.
        solved: how many of them the function was called for; the others repeated one of these.
        fallbacks: how often the time limit was met.

    Raises:
        ArgumentError: a setting outside its range; when called, NaN, arguments that do not have one entry for each instance,
            or a time limit in a thread, such as that in which autograd goes back on a GPU.
        ArgumentTypeError: a function that cannot be called, or, when called, not be sent to a process; arguments without
            entries.
        SolveError: when called, a function that raises, SystemExit included, takes too long, ends its process twice, or
            gives something else than numbers of the instance's shape. Workers are ended then, and by Ctrl-C.

    >>> import torch
    >>> solver = BlackBox(lambda theta: theta > 0)
    >>> solver(torch.tensor([[1.0, -1.0], [1.0, -1.0]]))
    tensor([[1., 0.],
            [1., 0.]])
    >>> solver.hit_rate
    0.5
    """

    pure = by_instance = True

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
        repeats: bool = True,
    ) -> None:
        if isinstance(function, type):
            name = function.__name__
            raise ArgumentTypeError(
                "function", f"the class {name}", "it must be a function of one instance", f"make one: {name}(...)"
            )
        if not callable(function):
            raise ArgumentTypeError(
                "function", type(function).__name__, "it must be callable", "give a function of one instance"
            )
        for name, value, choices in (("executor", executor, Executor), ("fallback", fallback, Fallback)):
            check_name(name, value, get_args(choices))
        for name, number, least in (("jobs", jobs, 1), ("chunk", chunk, 1), ("cache", cache, 0)):
            if number is not None:
                check_whole(name, number, least, "leave it out for the usual one")
        _check_time_limit(time_limit, executor)
        if cache and not repeats:
            raise ArgumentError(
                "cache", f"{cache} without repeats", "it is there to repeat solutions", "leave one of them out"
            )
        self.function, self.arrays, self.executor, self.jobs = function, arrays, executor, jobs
        self.chunk, self.time_limit, self.fallback, self.cache = chunk, time_limit, fallback, cache
        self.repeats = repeats
        if hasattr(function, "domain"):
            self.domain = function.domain
        self.rows = self.solved = self.fallbacks = self._count = 0
        self._memory, self._lock = Memory(cache), OwnLock()
        self._packed: tuple[Form, BlackBox] | None = None

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return f"BlackBox({name}, executor={self.executor!r})"

    @property
    def sense(self) -> Any:
        """Sense that the function declares: "max", "min" or None."""
        return declared(self.function, "sense")

    @property
    def hit_rate(self) -> float:
        """The share of the rows asked for so far that repeated another one; 0 before the first."""
        return 1 - self.solved / self.rows if self.rows else 0.0

    def __call__(self, theta: Any, /, *args: Sequence[Any], **kwargs: Sequence[Any]) -> Any:
        """Solutions ``(N, *event)`` for parameters ``(N, *event)``, in theta's type and on its device.

        Where the function has further outputs, a tuple of the solutions and, for each of these, a list of N entries.
        """
        if is_container(theta):
            return self._of_structure(theta, args, kwargs)
        return self._solve(theta, PaddedRows(as_rows(theta)), args, kwargs)

    def solve_ragged(self, theta: Tensor, sizes: Sequence[int], /, *args: Sequence[Any], **kwargs: Sequence[Any]) -> Any:
        """Solutions ``(N, n, *rest)``, 0 in padding, for padded parameters; see :class:`imle_core.contracts.RaggedSolver`.

        The function gets ``(sizes[i], *rest)`` of row i, and is not asked for rows without entries, which have None for
        further outputs.
        """
        return self._solve(theta, PaddedRows(as_rows(theta), sizes), args, kwargs)

    def _solve(self, theta: Tensor, rows: PaddedRows, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        arguments = Arguments(len(rows), args, kwargs)
        call = Call.of(rows, arguments.named)
        first, chosen = self._asked(rows, arguments)
        known = self._memory.find(call, first) if self.repeats else {}
        unknown = {key: row for key, row in first.items() if key not in known and not rows.is_empty(row)}
        tasks = {key: arguments.task(rows[row], row) for key, row in unknown.items()}
        solutions, others, late = rows.solutions(), dict[int, tuple[Any, ...] | None](), set()

        def put(row: int, answer: Answer) -> None:
            rows.unpadded(solutions[row, ...], row)[...] = rows.unpadded(answer.solution, row)
            others[row] = answer.others

        for key, answer in known.items():
            put(first[key], answer)
        settings = TaskSettings(self.function, self.arrays, self.time_limit)
        with closing(solve_by(self.executor, [*tasks.values()], settings, self.jobs, self.chunk)) as outcomes:
            for key, outcome in zip(tasks, outcomes, strict=True):
                row = first[key]
                if not isinstance(outcome, Failure):
                    put(row, outcome)
                elif outcome.late and self.fallback == "previous":
                    put(row, self._previous(call, outcome, _Where(row, rows, arguments)))
                    late.add(key)
                else:
                    raise _Where(row, rows, arguments).error(outcome.reason, outcome.rest) from outcome.error
        if len(first) < len(rows):
            solutions = solutions[chosen]
        outputs = self._outputs(others, lambda row: _Where(row, rows, arguments))
        nothing = (None,) * self._count  # of a row without entries
        answers = Answers(solutions, [outputs.get(row, nothing) for row in chosen] if outputs else None)
        solved = {key: row for key, row in first.items() if key not in late} if late else first
        self._memory.keep(call, solved, answers)
        with self._lock:
            self.rows += len(rows)
            self.solved += len(tasks)
            self.fallbacks += len(late)
        z, lost = in_type_of(theta, solutions.copy())
        if lost.any():
            row = int(np.argwhere(lost)[0][0])
            raise _Where(row, rows, arguments).error(
                f"gave {solutions[lost][0]:.10g}", f", which theta's {theta.dtype} does not hold; use theta.float()"
            )
        return self._with_outputs(z.to(theta.device), answers.others)

    def _outputs(
        self, others: dict[int, tuple[Any, ...] | None], where: Callable[[int], "_Where"]
    ) -> dict[int, tuple[Any, ...]]:
        """Further outputs of rows, equally many for each; none where the function gives solutions alone."""
        counts = {row: 0 if values is None else len(values) for row, values in others.items()}
        if not counts:
            return {}
        row, count = next(iter(counts.items()))
        odd = next((row for row in counts if counts[row] != count), None)
        if odd is not None:
            what = f"gave {counts[odd]} further outputs, where row {row} has {count},"
            raise where(odd).error(what, "; it must give as many for every row; look at .theta of this error")
        self._count = count
        return {row: values for row, values in others.items() if values is not None}

    def _with_outputs(self, z: Tensor, others: list[tuple[Any, ...]] | None) -> Any:
        if others is None and (len(z) or not self._count):
            return z
        return z, *([kept(values[number]) for values in others or ()] for number in range(self._count))

    def _of_structure(self, theta: Any, args: tuple[Sequence[Any], ...], kwargs: dict[str, Sequence[Any]]) -> Any:
        """Solutions for a structure of parameters, ``(N, *event)`` each, by a black box of rows in which they are packed."""
        form = Form.of(theta)
        if self._packed is None or repr(self._packed[0]) != repr(form):  # the same one has its memory of the forward pass
            packed = copy(self)
            packed.function, packed._memory = OfStructure(self.function, form), Memory(self.cache)
            self._packed = form, packed
        form, packed = self._packed
        before = packed.rows, packed.solved, packed.fallbacks
        try:
            answer = packed(form.packed(theta), *args, **kwargs)
        finally:
            with self._lock:
                self.rows += packed.rows - before[0]
                self.solved += packed.solved - before[1]
                self.fallbacks += packed.fallbacks - before[2]
        return form.unpacked_answer(answer)

    def _asked(self, rows: PaddedRows, arguments: Arguments) -> tuple[dict[Hashable, int], list[int]]:
        """The first of equal rows by their key, and for each row the number of the first that equals it."""
        first: dict[Hashable, int] = {}
        keys = arguments.keys(rows) if self.repeats else range(len(rows))
        return first, [first.setdefault(key, row) for row, key in enumerate(keys)]

    def _previous(self, call: Call, failure: Failure, where: "_Where") -> Answer:
        answer = self._memory.previous(call, where.row)
        if answer is None:
            raise where.error(
                failure.reason, ", which has no earlier solution; the first call must solve every row; raise time_limit"
            )
        return answer


class _Where(NamedTuple):
    """A row of a call, to be named in errors."""

    row: int
    rows: PaddedRows
    arguments: Arguments

    def error(self, what: str, rest: str) -> SolveError:
        """A function that failed there."""
        instance = self.arguments.instance(self.row)
        name = f"row {self.row}" if instance is None else f"row {self.row} (instance {instance})"
        return SolveError(
            f"function: {what} for {name}{rest}", self.row, self.rows[self.row].copy(), self.arguments.entries(self.row)
        )


def _check_time_limit(time_limit: float | None, executor: Executor) -> None:
    if time_limit is None:
        return
    check_not_learned("time_limit", time_limit, "leave it out")
    if not (math.isfinite(time_limit) and time_limit > 0):
        raise ArgumentError("time_limit", repr(time_limit), "it must be seconds > 0", "use None for no limit")
    if executor == "threads":
        raise ArgumentError(
            "time_limit", f"{time_limit!r} with threads", "these cannot be interrupted", "take executor='processes'"
        )
    if executor != "processes" and not INTERRUPTS:
        raise ArgumentError(
            "time_limit", repr(time_limit), "this system cannot interrupt a function", "take executor='processes'"
        )
