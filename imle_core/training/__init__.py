"""Training of weights with which a solver reproduces a gold solution."""

from imle_core.training.optimizer import Adam
from imle_core.training.weights import Step, Training, train

__all__ = ["Adam", "Step", "Training", "train"]
