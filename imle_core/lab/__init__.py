"""Quality of estimators: bias, variance, direction and cost of their gradients; calibrated noise; a published experiment."""

from imle_core.lab.accuracy import Accuracy
from imle_core.lab.calibration import REFINEMENTS, Calibration, Estimate, calibrate, closest
from imle_core.lab.cell import Cell, Skipped, best_cells, is_told_apart
from imle_core.lab.comparison import compare, measured_again
from imle_core.lab.estimate import IntervalEstimate, mean_of, positive, ratio
from imle_core.lab.measurement import LAMBDAS, TEMPERATURES, EstimatorSettings, Instance
from imle_core.lab.problem import PROBLEMS, LabProblem, check_problem, make_problem, squared_distance
from imle_core.lab.reference import Reference, reference_gradient
from imle_core.lab.reproduction import EXPERIMENTS, TUNING_SEED, reproduce

__all__ = [
    "EXPERIMENTS",
    "LAMBDAS",
    "PROBLEMS",
    "REFINEMENTS",
    "TEMPERATURES",
    "TUNING_SEED",
    "Accuracy",
    "Calibration",
    "Cell",
    "Estimate",
    "EstimatorSettings",
    "Instance",
    "IntervalEstimate",
    "LabProblem",
    "Reference",
    "Skipped",
    "best_cells",
    "calibrate",
    "check_problem",
    "closest",
    "compare",
    "is_told_apart",
    "make_problem",
    "mean_of",
    "measured_again",
    "positive",
    "ratio",
    "reference_gradient",
    "reproduce",
    "squared_distance",
]
