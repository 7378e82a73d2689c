"""Batches of instances of several sizes: their layouts, their noise, and sums that padding does not change."""

from imle_core.ragged import nested, solvers, targets
from imle_core.ragged.instances import Instances, instances_of
from imle_core.ragged.noise import draw_noise
from imle_core.ragged.sums import entry_norms, entry_products, entry_sums, sample_means

__all__ = [
    "Instances",
    "draw_noise",
    "entry_norms",
    "entry_products",
    "entry_sums",
    "instances_of",
    "nested",
    "sample_means",
    "solvers",
    "targets",
]
