"""Costs predicted from features, judged by decisions: data, labels that are solved once, and regret.

A network sees features and predicts costs; a solver decides by them; what counts is what the decision costs in truth.
"""

from imle_core.decisions.data import (
    KnapsackData,
    PathData,
    PortfolioData,
    TourData,
    knapsack_data,
    portfolio_data,
    shortest_path_data,
    split,
    tour_data,
)
from imle_core.decisions.data_set import Decisions, Labels
from imle_core.decisions.methods import BASELINES, FITTED, LEARNERS, make_method, supervision, usual_loss
from imle_core.decisions.metrics import DecisionQuality, judge, predict, regret, spo_error, squared_error, worst_regret
from imle_core.decisions.neighbours import nearest_neighbour_labels
from imle_core.decisions.networks import COST_NETWORKS, CostNetwork, FittedCosts, make_cost_network
from imle_core.decisions.protocols import PROTOCOLS, Protocol, PublishedRegret
from imle_core.decisions.reproduction import METHODS, DecisionMethod, ReproducedRegret, reproduce_protocol
from imle_core.decisions.training import DecisionFit, DecisionTraining

__all__ = [
    "BASELINES",
    "COST_NETWORKS",
    "FITTED",
    "LEARNERS",
    "METHODS",
    "PROTOCOLS",
    "CostNetwork",
    "DecisionFit",
    "DecisionMethod",
    "DecisionQuality",
    "DecisionTraining",
    "Decisions",
    "FittedCosts",
    "KnapsackData",
    "Labels",
    "PathData",
    "PortfolioData",
    "Protocol",
    "PublishedRegret",
    "ReproducedRegret",
    "TourData",
    "judge",
    "knapsack_data",
    "make_cost_network",
    "make_method",
    "nearest_neighbour_labels",
    "portfolio_data",
    "predict",
    "regret",
    "reproduce_protocol",
    "shortest_path_data",
    "split",
    "spo_error",
    "squared_error",
    "supervision",
    "tour_data",
    "usual_loss",
    "worst_regret",
]
