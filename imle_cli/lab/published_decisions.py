"""Published experiments of predict-then-optimise, done again: trainings, table, picture, numbers."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from imle_cli.console import Report, Result, Table, line_of_files
from imle_cli.files.outputs import Outputs
from imle_core.decisions import METHODS, PROTOCOLS, ReproducedRegret, reproduce_protocol
from imle_core.training import Schedule

_HEADER = ["method", "learns from", "regret", "best epoch", "seconds", "to regression", "solves"]
_HEADER += ["published", "best epoch", "seconds"]
_NONE = "–"
_BASELINE = "regression"

Outcomes = dict[str, dict[str, ReproducedRegret]]


class _Task(NamedTuple):
    protocol: str
    method: str
    seed: int
    epochs: int | None
    schedule: Schedule


@dataclass(frozen=True)
class DecisionWork:
    """Trainings by every method on both protocols.

    Attributes:
        names: of methods.
        seeds: one for each training of a method.
        epochs: how often each instance is seen; the protocols' numbers if None.
        schedule: of the step size.
    """

    names: Sequence[str]
    seeds: Sequence[int]
    epochs: int | None
    schedule: Schedule

    @property
    def tasks(self) -> list[_Task]:
        """Trainings, in the order in which they begin."""
        return [
            _Task(protocol, name, seed, self.epochs, self.schedule)
            for protocol in PROTOCOLS
            for name in self.names
            for seed in (self.seeds[:1] if METHODS[name].is_computed else self.seeds)
        ]

    def run(self, jobs: int | None, outputs: Outputs, console: Report) -> Result:
        """Trains, as many at a time, and writes the picture and the numbers; an interruption shows what has ended."""
        from imle_cli.figures.encoding import encoder

        tasks, ended = self.tasks, dict[_Task, ReproducedRegret]()
        try:
            _train(tasks, ended, jobs, console)
        except (KeyboardInterrupt, SystemExit):
            if ended:
                console.note(f"stopped: {len(ended)} of {len(tasks)} trainings have ended, those of the table")
                console.show(self._result(_by_method(ended, self.names), ()))
            raise
        outcomes = _by_method(ended, self.names)
        outputs.write(encoder(lambda: _draw(outcomes, self.seeds)), table=lambda: _columns(ended))
        return self._result(outcomes, outputs.files)

    def _result(self, outcomes: Outcomes, files: Sequence[str]) -> Result:
        protocols = {
            name: {
                "epochs": self.epochs or PROTOCOLS[name].epochs,
                "methods": {method: _record(outcome) for method, outcome in of_methods.items()},
            }
            for name, of_methods in outcomes.items()
        }
        values = {"protocols": protocols, "experiment": "decisions", "schedule": self.schedule, "seeds": list(self.seeds)}
        rows = [row for of_methods in outcomes.values() for row in _rows(of_methods)]
        return Result(values, lambda shown: Table(_HEADER, rows, _HEADER[2:], _below(shown)), files)


def _train(tasks: Sequence[_Task], ended: dict[_Task, ReproducedRegret], jobs: int | None, console: Report) -> None:
    """Trains, in as many processes, and keeps what has ended."""
    from imle_cli.runs.executors import outcomes

    for protocol in PROTOCOLS.values():
        for name in ("imle", "spo-plus-pool"):  # what must be compiled is compiled here, once
            reproduce_protocol(protocol, METHODS[name], [0], epochs=1)
    with (
        closing(outcomes(_trained, tasks, "joblib", jobs)) as answers,
        console.progress("trainings", len(tasks)) as advance,
    ):
        for number, answer in answers:
            if isinstance(answer, Exception):
                raise answer
            ended[tasks[number]] = answer
            advance(len(ended), f"{tasks[number].protocol} {tasks[number].method}")


def _trained(task: _Task) -> ReproducedRegret:
    protocol, method = PROTOCOLS[task.protocol], METHODS[task.method]
    return reproduce_protocol(protocol, method, [task.seed], epochs=task.epochs, schedule=task.schedule)


def _by_method(ended: dict[_Task, ReproducedRegret], names: Sequence[str]) -> Outcomes:
    """Outcomes of all seeds together, by protocol and method, in the order in which these were named."""
    joined: Outcomes = {}
    for protocol in PROTOCOLS.values():
        joined[protocol.name] = {}
        for name in names:
            runs = [ended[task] for task in sorted(ended) if (task.protocol, task.method) == (protocol.name, name)]
            if runs:
                columns = [
                    torch.cat([getattr(run, column) for run in runs]) for column in ("regrets", "epoch_seconds", "solves")
                ]
                joined[protocol.name][name] = ReproducedRegret(protocol, METHODS[name], *columns)
    return joined


def _record(outcome: ReproducedRegret) -> dict[str, Any]:
    published = outcome.published
    return {
        "regret_mean": outcome.mean,
        "regret_std": outcome.deviation,
        "seconds": outcome.seconds,
        "epoch_seconds": outcome.fastest_epoch,
        "solves": outcome.solves.mean().item(),
        "best_mean": outcome.best,
        "runs": len(outcome.regrets),
        "learns_from": outcome.method.supervision,
        "published_regret": None if published is None else published.regret,
        "published_best": None if published is None else published.best,
        "published_seconds": None if published is None else published.seconds,
    }


def _rows(outcomes: dict[str, ReproducedRegret]) -> list[list[str]]:
    """Rows of a protocol, below its name."""
    if not outcomes:
        return []
    protocol = next(iter(outcomes.values())).protocol
    baseline = outcomes[_BASELINE].fastest_epoch if _BASELINE in outcomes else None
    return [[f"{protocol.name}:", *[""] * (len(_HEADER) - 1)], *(_row(outcome, baseline) for outcome in outcomes.values())]


def _row(outcome: ReproducedRegret, baseline: float | None) -> list[str]:
    published, compared = outcome.published, baseline is not None and not outcome.method.is_computed
    ours = [
        f"{outcome.mean:.2%}" + (f" ± {outcome.deviation:.2%}" if len(outcome.regrets) > 1 else ""),
        f"{outcome.best:.2%}",
        f"{outcome.seconds:.2f}",
        f"{outcome.fastest_epoch / baseline:.2f}" if compared and baseline else "",
        f"{outcome.solves.mean().item():,.0f}",
    ]
    theirs = [""] * 3
    if published is not None:
        best, time = published.best, published.seconds
        theirs = [f"{published.regret:.2%}", "" if best is None else f"{best:.2%}", "" if time is None else f"{time:.1f}"]
    return [outcome.method.name, outcome.method.supervision, *ours, *theirs]


def _below(values: dict[str, Any]) -> list[str]:
    """Lines below the table."""
    seeds = ", ".join(map(str, values["seeds"]))
    lines = {
        "regret": f"after the last epoch, mean ± standard deviation of seeds {seeds}; best epochs by the test instances",
        "seconds": "a training, without judging; to regression: fastest epochs over those of least squares by these steps",
        "published": "the authors' single run; their clock counts 16.5 times too much, which is taken out of its seconds",
        "time": f"{values['seconds']:.1f} s",
    }
    named = [*lines.items(), *line_of_files(values)]
    return ["", *(f"{name:<11}{text}" for name, text in named)]


def _columns(ended: dict[_Task, ReproducedRegret]) -> dict[str, list[Any]]:
    """A row for each epoch of each training."""
    columns: dict[str, list[Any]] = {name: [] for name in ("protocol", "method", "seed", "epoch", "regret")}
    for task in sorted(ended):
        for epoch, value in enumerate(ended[task].regrets[0].tolist(), 1):
            for name, entry in zip(columns, (task.protocol, task.method, task.seed, epoch, value), strict=True):
                columns[name].append(entry)
    return columns


def _draw(outcomes: Outcomes, seeds: Sequence[int]) -> Any:
    from imle_cli.figures.regret import RegretPoint, regret_figure

    def points(of_methods: dict[str, ReproducedRegret]) -> dict[str, RegretPoint]:
        made = {}
        for name, outcome in of_methods.items():
            published = outcome.published
            theirs = None if published is None or published.seconds is None else (published.seconds, published.regret)
            made[name] = RegretPoint(outcome.seconds, outcome.mean, outcome.deviation, theirs)
        return made

    panels = {PROTOCOLS[name].title: points(of_methods) for name, of_methods in outcomes.items()}
    return regret_figure(panels, title=f"Regret against seconds, {len(seeds)} seed{'s' * (len(seeds) > 1)}")
