"""Costs of tiles learned from images: maps with images, networks, ways to learn, and how well predictions plan."""

from imle_core.perception.colour_lookup import ColourLookup, ColourTraining
from imle_core.perception.judgement import Judgement, Plans, judge, plan
from imle_core.perception.maps import TILE, TOLERANCE, ImageMaps, path_costs
from imle_core.perception.methods import BASELINES, SUPERVISION, make_method
from imle_core.perception.networks import NETWORKS, make_network
from imle_core.perception.terrain import terrain_maps
from imle_core.perception.training import PerceptionTraining
from imle_core.training import Clock
from imle_core.training import NetworkStep as PerceptionStep

__all__ = [
    "BASELINES",
    "NETWORKS",
    "SUPERVISION",
    "TILE",
    "TOLERANCE",
    "Clock",
    "ColourLookup",
    "ColourTraining",
    "ImageMaps",
    "Judgement",
    "PerceptionStep",
    "PerceptionTraining",
    "Plans",
    "judge",
    "make_method",
    "make_network",
    "path_costs",
    "plan",
    "terrain_maps",
]
