"""Tasks of a black box on processes of this machine, with what to do when one of these dies or never comes back."""

import faulthandler
import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, wait
from io import FileIO
from multiprocessing import current_process
from pathlib import Path
from pickle import PicklingError
from tempfile import TemporaryDirectory
from typing import ClassVar, TypeAlias

from imle_core.concurrency import WorkerPool
from imle_core.contracts import text_of
from imle_core.solvers.black_box.task import WAIT, Failure, Outcome, Task, TaskSettings, late, sendable, solve, unsendable

Numbered: TypeAlias = dict[int, Outcome]

_GRACE = 0.5  # seconds: less than it takes to start a worker anew


def solve_in_processes(tasks: Sequence[Task], settings: TaskSettings, jobs: int, share: int) -> Iterator[Outcome]:
    """Outcomes in the order of the tasks.

    A worker notes in a file which task it is at. With a time limit it also sets a watchdog, a thread outside the
    interpreter, which ends the process from within where it still runs some time after the limit, whatever it does. The
    end of a worker ends all of them. Then what was under way is solved again: one at a time, if one of these tasks is to
    blame and it is not known which.

    Args:
        tasks: what to solve.
        settings: how.
        jobs: how many processes.
        share: how many tasks a process gets at once.

    Raises:
        ArgumentTypeError: the function or its arguments cannot be sent to a process.
        RuntimeError: the processes end before they begin, or cannot be started from this one.
    """
    known: Numbered = {}
    position, inquest = 0, _Inquest(settings)
    while position < len(tasks):
        left = {number: tasks[number] for number in range(position, len(tasks)) if number not in known}
        for finished in _solved(inquest.chunks(left, share), settings, jobs, inquest):
            known.update(finished)
            while position in known:
                yield known.pop(position)
                position += 1


class _Inquest:
    """Tasks that were under way when workers ended, and why they did."""

    def __init__(self, settings: TaskSettings) -> None:
        self.settings = settings
        self.ends = self.unexplained = 0
        self.deaths: Counter[int] = Counter()

    def chunks(self, left: dict[int, Task], share: int) -> list[dict[int, Task]]:
        """Tasks to send next of those that are left: a suspect alone, or all; singly if workers end, to lose less."""
        suspects = [number for number in left if number in self.deaths][:1]
        if suspects:
            return [{number: left[number] for number in suspects}]
        numbers, share = list(left), 1 if self.ends else share
        starts = range(0, len(numbers), share)
        return [{number: left[number] for number in numbers[start : start + share]} for start in starts]

    def hold(self, folder: Path, error: Exception) -> Numbered:
        """Failures of those tasks that are to blame; others that may be are counted in ``deaths``."""
        notes = [note.read_text(errors="replace").partition("\n") for note in folder.iterdir()]
        hung = [int(number) for number, _, dump in notes if dump]
        under_way = [int(number) for number, _, _ in notes if number]
        self.ends += 1
        self.unexplained = 0 if under_way else self.unexplained + 1
        if self.unexplained == 2:
            raise RuntimeError(
                "function: its processes ended twice before they began; it must be one that another process can load; take "
                "executor='threads'"
            ) from error
        if hung:
            return {number: late(self.settings) for number in hung}
        self.deaths.update(under_way)
        return {number: Failure("its process died twice") for number in under_way if self.deaths[number] == 2}


def _solved(chunks: list[dict[int, Task]], settings: TaskSettings, jobs: int, inquest: _Inquest) -> Iterator[Numbered]:
    """Outcomes of the chunks, in order; of some of them if a worker ends."""
    from joblib.externals.loky.process_executor import ShutdownExecutorError  # here, since joblib is slow to import

    futures: list[Future[Numbered]] = []
    with TemporaryDirectory(prefix="imle-", ignore_cleanup_errors=True) as folder:
        crew = _Crew.of(jobs)
        try:
            futures.extend(crew.pool.submit(_solve_noted, chunk, settings, folder) for chunk in chunks)
            for future in futures:
                while not wait([future], WAIT).done:
                    pass
                yield future.result()
        except (BrokenExecutor, ShutdownExecutorError) as error:
            by_another_thread = crew.ended
            crew.end()
            yield from (future.result() for future in futures if future.done() and not future.exception())
            if not by_another_thread:
                yield inquest.hold(Path(folder), error)
        except PicklingError as error:
            raise unsendable(error) from error
        finally:
            if not all(future.done() for future in futures):
                crew.end()


class _Crew:
    """Workers that stay from call to call.

    They are not joblib's own workers: a failure here ends its workers, and would end the work of others with them.
    """

    _crews: ClassVar[dict[tuple[int, int], "_Crew"]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, jobs: int) -> None:
        self.pool, self.ended = WorkerPool(jobs), False

    @classmethod
    def of(cls, jobs: int) -> "_Crew":
        """Crew of that size, which all callers share."""
        if current_process().daemon:
            raise RuntimeError(
                "executor: got 'processes' in a daemonic process; such a one, a DataLoader's worker for instance, must not "
                "start others; take executor='serial'"
            )
        with cls._lock:
            key = os.getpid(), jobs  # a fork has no workers
            if key not in cls._crews or cls._crews[key].ended:
                cls._crews[key] = cls(jobs)
            return cls._crews[key]

    def end(self) -> None:
        """Ends the workers at once, with what they have started; calls of other threads begin anew."""
        with self._lock:
            if not self.ended:
                self.ended = True
                self.pool.end()


def _solve_noted(tasks: dict[int, Task], settings: TaskSettings, folder: str) -> Numbered:
    """Outcomes of :func:`solve` in a worker for each task, up to one that fails, unless it is late."""
    outcomes: Numbered = {}
    path = Path(folder) / str(min(tasks))
    with path.open("wb", buffering=0) as note:
        for number, task in tasks.items():
            note.seek(0)
            note.truncate()
            note.write(f"{number}\n".encode())
            outcome = _watched(task, settings, note)
            outcomes[number] = outcome = _with_others_that_can_be_sent(sendable(outcome))
            if isinstance(outcome, Failure) and not outcome.late:
                break
    path.unlink()
    return outcomes


def _with_others_that_can_be_sent(outcome: Outcome) -> Outcome:
    """The outcome, or a failure where further outputs cannot be sent to the process that asked for them."""
    if isinstance(outcome, Failure) or outcome.others is None:
        return outcome
    from joblib.externals.loky.backend.reduction import dumps  # here, since joblib is slow to import

    try:
        dumps(outcome.others)
    except Exception as error:
        reason = f"gave further outputs that cannot be sent from its process ({text_of(error)})"
        return Failure(reason, rest="; they must be picklable, which locks and generators are not; take executor='threads'")
    return outcome


def _watched(task: Task, settings: TaskSettings, note: FileIO) -> Outcome:
    if settings.time_limit is None:
        return solve(task, settings)
    faulthandler.dump_traceback_later(settings.time_limit + _GRACE, exit=True, file=note)
    try:
        return solve(task, settings)
    finally:
        faulthandler.cancel_dump_traceback_later()
