"""Numbers that make grid paths fast. None changes a result: each chooses between two ways to the same path.

Those that say "measured" were found by measuring, and ``imle bench --tune`` measures them on the machine at hand; the others
were not measured alone. Numbers that a kernel needs when it is compiled, as the maps in a vector (LANES), and limits that
keep results right, as the largest cost, are constants of the modules that use them.
"""

from typing import Any, NamedTuple

from imle_core.checks import ArgumentTypeError


class BucketsTuning(NamedTuple):
    """Buckets of labels, by which one map is solved (:mod:`imle_core.solvers.grid.kernels.buckets`).

    Attributes:
        intervals: lists for labels near ahead, at most; more take memory, fewer are used up sooner.
        width: of an interval, in typical costs, with one move; with M moves it is an M-th of that. In wider ones more tiles
            wait twice, narrower ones are mostly empty.
        finer: factor by which intervals become narrower while too many tiles wait twice, and wider again.
        repeats: tiles of the map to one that waits again; where more wait again, intervals are too wide.
        sparse: tiles; where all intervals together had fewer, they may be wider again.
    """

    intervals: int = 512
    width: float = 0.5
    finer: float = 16.0
    repeats: int = 32
    sparse: int = 32


class LanesTuning(NamedTuple):
    """Labels of LANES maps side by side (:mod:`imle_core.solvers.grid.kernels.lanes`).

    Attributes:
        goal_bits: of the scaled cost of a path on the mean map, of 31; more make labels finer, fewer let costs of a map be
            further above the mean map's: with 29, up to four times as much can be told.
        probed_groups: groups of LANES maps that each thread tries; if most of these maps are left, so are all others.
        near_tie_maps: maps of a group whose near ties are decided on the spot; more are decided sooner by exact labels side
            by side. Near ties of large maps are always decided on the spot.
        large_tiles: tiles of a map, above which it is large: labels of LANES larger ones do not fit into the nearest caches.
        visits: of a tile, on average, after which a group is left, since its maps are solved sooner one by one.
        visits_of_large: the same for large maps.
        sweeps: over the tiles of near ties; where labels still fall then, the map is solved sooner by itself.
    """

    goal_bits: int = 29
    probed_groups: int = 2
    near_tie_maps: int = 4
    large_tiles: int = 32**2
    visits: int = 64
    visits_of_large: int = 16
    sweeps: int = 16


class Tuning(NamedTuple):
    """All numbers of all engines.

    Attributes:
        tiles_a_thread: tiles of all maps to one thread, where maps are solved side by side; with less work, threads get in
            the way of torch's own, which spin for a while after their work. Measured.
        tiles_a_thread_one_by_one: the same where maps are solved one by one. Measured.
        small_tiles: tiles of a map, up to which ``fewest_small`` maps are solved side by side. Measured.
        fewest_small: maps that take about as long one by one as LANES small maps side by side. Measured.
        medium_tiles: the same as ``small_tiles`` for ``fewest_medium``; larger maps are solved one by one, since LANES of
            them are too far from fitting into the caches. Measured.
        fewest_medium: maps that take about as long one by one as LANES maps of up to ``medium_tiles`` do. Measured.
        fewest_left: maps left by scaled labels that are solved sooner by exact labels side by side than one by one, when
            the order of visits is known. Measured.
        examples: maps whose mean gives the order of visits; more cost time, fewer make the order worse.
        tiles_a_thread_acyclic: tiles of all maps to one thread, for paths that never turn back.
        rounds_a_check: rounds of torch's engine to one check; a check makes the host wait for the device, which costs about
            as much as 8 rounds.
        block_tiles: tiles of the largest block of Triton's engine; the registers of one program's threads hold no more than
            4096.
        tiles_a_warp: tiles of a block to each of its warps.
        search_steps: steps to each tile of a path, after which the search for the path's order ends in an error.
        lanes: of maps side by side.
        buckets: of maps one by one.
    """

    tiles_a_thread: int = 2**16
    tiles_a_thread_one_by_one: int = 2**13
    small_tiles: int = 64**2
    fewest_small: int = 8
    medium_tiles: int = 96**2
    fewest_medium: int = 12
    fewest_left: int = 5
    examples: int = 8
    tiles_a_thread_acyclic: int = 2**15
    rounds_a_check: int = 8
    block_tiles: int = 4096
    tiles_a_warp: int = 256
    search_steps: int = 64
    lanes: LanesTuning = LanesTuning()
    buckets: BucketsTuning = BucketsTuning()


TUNING = Tuning()
"""The numbers in use."""


def check_tuning(tuning: Any) -> None:
    """Numbers about speed must be a :class:`Tuning`."""
    if not isinstance(tuning, Tuning):
        kind = f"the class {tuning.__name__}" if isinstance(tuning, type) else type(tuning).__name__
        raise ArgumentTypeError("tuning", kind, "it must be a Tuning", "use Tuning(), or leave it out")
