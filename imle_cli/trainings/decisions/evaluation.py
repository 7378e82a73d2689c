"""A network that decides, judged on a data set: its run, figures for a reader, and a picture of some instances."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from imle_cli.console import Result, Table
from imle_cli.figures.encoding import encoder
from imle_cli.files.decisions import PROBLEM, read_decisions, splits_in
from imle_cli.files.outputs import Outputs
from imle_cli.files.sources import SourceError
from imle_cli.options.deciding import OwnProblemOptions
from imle_cli.options.inputs import DeviceName
from imle_cli.runs.decisions import DecisionRun
from imle_cli.trainings.decisions.experiment import (
    DecisionExperiment,
    baselines,
    beside,
    describe,
    epoch_rows,
    make_untrained,
)
from imle_cli.trainings.decisions.problem import problem_of
from imle_core.decisions import Decisions, judge, predict, regret
from imle_core.kernels.notice import clock
from imle_core.solvers import GridEdgePath

_FIGURES = ["instances", "regret", "worst regret", "optimal", "MSE", "seconds"]
_TOLERANCE = 1e-6  # of regret, relative to the optimum


@dataclass(frozen=True)
class TrainedDecider:
    """A network as a run has it, for the instances of a data set.

    Attributes:
        experiment: how it was trained.
        network: the network.
        epoch: epochs that it has learned.
        rows: rows of the run's metrics.
        decisions: the instances.
        learned_from: those of the data set's training split, if it has one, for baselines.
    """

    experiment: DecisionExperiment
    network: nn.Module
    epoch: int
    rows: list[tuple[Any, ...]]
    decisions: Decisions
    learned_from: Decisions | None

    @classmethod
    def read(cls, path: Path, checkpoint: str, device: DeviceName, data: Path, split: str) -> "TrainedDecider":
        """Reads the "last" or the "best" network of a run, and a split of a data set.

        Raises:
            RunError: no run, a damaged one, one of another command, or a checkpoint of another network.
            SourceError: a data set that cannot be used, or of another problem.
        """
        run = DecisionRun.open(path)
        experiment = replace(run.experiment(DecisionExperiment), device=device)
        rows, seen = run.metrics(), run.history().truth.shape[1:]
        own = OwnProblemOptions() if (data / PROBLEM).exists() else experiment.problem
        solver, sense = problem_of(data, own)
        decisions = read_decisions(data, split, solver, sense)
        if tuple(decisions.costs.shape[1:]) != seen:
            got = f"has costs of shape {tuple(decisions.costs.shape[1:])} an instance"
            raise SourceError(data, f"{got}, but the network of {path} predicts {seen}; choose another data set")
        learned_from = read_decisions(data, "train", solver, sense) if "train" in splits_in(data) else None
        network = make_untrained(experiment, decisions)
        epoch = run.load_network(network, checkpoint, experiment.learning.network)
        return cls(experiment, network, len(rows) if epoch is None else epoch, rows, decisions, learned_from)


def evaluate(run: Path, data: Path, split: str, checkpoint: str, device: DeviceName, picture: Path | None) -> Result:
    """Judges the network of a run, and draws the instances on which it decides worst, in the middle, and best."""
    trained = TrainedDecider.read(run, checkpoint, device, data, split)
    decisions, experiment = trained.decisions, trained.experiment
    outputs = Outputs(picture, None, ())
    began = clock()
    quality = judge(trained.network, decisions)
    seconds = clock() - began
    predicted = predict(trained.network, decisions)
    subject = f"{experiment.learning.estimator} on {len(decisions):,} {split} instances"
    outputs.write(encoder(lambda: _draw(decisions, predicted, f"{subject}: regret {quality.regret:.2%}")))
    known = {} if trained.learned_from is None else baselines(trained.learned_from, decisions)
    values = describe(experiment, quality) | {"baselines": known, "data": str(data), "split": split}
    values |= {"instances": len(decisions), "epochs": epoch_rows(experiment, trained.rows), "seconds": seconds}
    values |= {"run": str(run), "checkpoint": checkpoint, "epoch": trained.epoch}
    return Result(values, _table, outputs.files)


def _table(values: dict[str, Any]) -> Table:
    row = [
        f"{values['data']} ({values['split']}_)",
        f"{values['instances']:,}",
        f"{values['regret']:.2%}",
        "–" if values["worst_regret"] is None else f"{values['worst_regret']:.2%}",
        f"{values['optimal']:.1%}",
        f"{values['mse']:.3g}",
        f"{values['seconds']:.2f}",
    ]
    origin = f"{values['checkpoint']} of {values['run']} (epoch {values['epoch']})"
    known = f"; regret {values['regret']:.2%} {beside(values['baselines'])}" if values["baselines"] else ""
    below = [
        "",
        f"network  {values['network']}, {origin}, by {values['estimator']} from {values['supervision']}{known}",
        *(f"picture  {file}" for file in values["files"]),
    ]
    return Table(["data", *_FIGURES], [row], _FIGURES, below)


def _draw(decisions: Decisions, predicted: Tensor, title: str) -> Any:
    from imle_cli.figures.decisions import JudgedDecision, decisions_by_entry, decisions_on_grid

    each, decided = regret(predicted, decisions, "none"), decisions.solve(predicted)
    share = each / decisions.optimum.abs().clamp_min(1e-8)
    order, shown = share.argsort(stable=True).tolist(), []
    words = (
        ("too expensive", "as cheap as the best")
        if decisions.sense == "min"
        else ("less than the best", "as good as the best")
    )
    for name, index in {"worst": order[-1], "median": order[len(order) // 2], "best": order[0]}.items():
        worth = f"{float(share[index]):.1%} {words[0]}" if float(share[index]) > _TOLERANCE else words[1]
        arrays = (decisions.gold, decided, predicted, decisions.costs)
        shown.append(JudgedDecision(f"{name}: {worth}", *(array[index].flatten().numpy() for array in arrays)))
    if isinstance(decisions.solver, GridEdgePath):
        return decisions_on_grid(shown, np.array(decisions.solver.edges), title=title)
    return decisions_by_entry(shown, title=title, word="entries of the decision")
