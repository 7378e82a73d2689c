"""Grid paths by kernels that otherwise are asked for larger batches alone: ``from grids import SideBySide``."""

from imle_core.solvers import GridPath
from imle_core.solvers.grid.tuning import TUNING

SIX = TUNING._replace(small_tiles=96**2, fewest_small=6)
SHARED = TUNING._replace(tiles_a_thread=50, tiles_a_thread_one_by_one=50)


class SideBySide(GridPath):
    """Six maps of up to 96x96 are enough to be solved side by side."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, tuning=SIX, **options)


class Shared(GridPath):
    """Small batches are enough to be shared among threads."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, tuning=SHARED, **options)
