"""Training by solvers: of weights with which one reproduces a gold solution, and of networks that predict its costs."""

from imle_core.training.clock import Clock, WatchedSolver
from imle_core.training.fitting import Fitting
from imle_core.training.methods import LearningMethod, Regression, ThroughSolver, watched_noise
from imle_core.training.networks import EpochRecord, NetworkStep, NetworkTraining, with_first_weights
from imle_core.training.optimizer import Adam
from imle_core.training.weights import LossReduction, Schedule, Step, Training, train

__all__ = [
    "Adam",
    "Clock",
    "EpochRecord",
    "Fitting",
    "LearningMethod",
    "LossReduction",
    "NetworkStep",
    "NetworkTraining",
    "Regression",
    "Schedule",
    "Step",
    "ThroughSolver",
    "Training",
    "WatchedSolver",
    "train",
    "watched_noise",
    "with_first_weights",
]
