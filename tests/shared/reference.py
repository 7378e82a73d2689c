"""Arrays of the field's library, PyEPO: ``from reference import CASES``; its entry ``meta`` says what each is."""

from pathlib import Path

import numpy as np

CASES = np.load(Path(__file__).parents[1] / "core" / "decisions" / "data" / "predict_then_optimise.npz")
