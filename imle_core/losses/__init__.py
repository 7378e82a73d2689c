"""Losses that compare solutions with gold ones, decisions with true parameters, and gold ones with a pool of others.

All are functions of parameters that are maximised; of costs give minus the costs.
"""

from imle_core.losses.decisions import perturbation_gradient, spo_plus
from imle_core.losses.pools import contrastive, contrastive_map, rank_list, rank_pair, rank_point
from imle_core.losses.regularised import cone_alignment, quadratic_fenchel_young
from imle_core.losses.solutions import fenchel_young, hamming

__all__ = [
    "cone_alignment",
    "contrastive",
    "contrastive_map",
    "fenchel_young",
    "hamming",
    "perturbation_gradient",
    "quadratic_fenchel_young",
    "rank_list",
    "rank_pair",
    "rank_point",
    "spo_plus",
]
