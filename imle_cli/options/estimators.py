"""Names of estimators and baselines, as options take them, without the library that has them, which takes long to import."""

ESTIMATORS = (
    "imle",
    "central-imle",
    "adaptive-imle",
    "adaptive-central-imle",
    "blackbox",
    "straight-through",
    "identity",
    "perturbed",
    "perturbed-baseline",
    "perturbed-multiplicative",
    "fenchel-young",
    "structured-svm",
    "score-function",
    "score-function-baseline",
    "score-function-exact",
    "simple",
)
BASELINES = ("regression", "tiles", "mean-colour")
DECISION_LOSSES = (
    "spo-plus",
    "perturbation-gradient",
    "central-perturbation-gradient",
    "contrastive",
    "contrastive-map",
    "rank-list",
    "rank-pair",
    "rank-point",
    "frank-wolfe",
    "frank-wolfe-fenchel-young",
    "cone",
    "cone-margin",
)
_EXACT = ("score-function-exact", "simple")  # these need exact marginals, which are not known for paths on a grid
LEARNERS = (*(name for name in ESTIMATORS if name not in _EXACT), *BASELINES)
DECISION_BASELINES = ("regression", "least-squares", "mean-costs")
DECIDERS = (*(name for name in ESTIMATORS if name not in _EXACT), *DECISION_LOSSES, *DECISION_BASELINES)
