"""The cheapest path of one map by a Triton program: all rounds of relaxation and the walk back in a single launch.

Labels, tie rule and result are those of :mod:`imle_core.solvers.grid.engines.on_torch`. A program holds its map in registers
and reads neighbours with ``tl.gather``, a function of values: nothing is written to memory but the result, so there is no
order of writes and reads to get wrong. A sum of two float64 is rounded the same way everywhere, so labels are equal to the
bit.
"""

try:
    import triton
    import triton.language as tl
except ImportError:
    triton = None

if triton is not None:

    @triton.jit
    def _labels(costs, row, column, is_start, rounds, rows: tl.constexpr, columns: tl.constexpr, diagonal: tl.constexpr):
        """Labels by relaxation until nothing changes; a cheapest path has fewer steps than ``rounds``, the map's tiles.

        A round takes the least label of each tile and its neighbours and adds the tile's cost. At an edge the tile itself
        stands in for the one beyond, which changes no minimum, as it is one of them anyway.
        """
        above, below = tl.maximum(row - 1, 0), tl.minimum(row + 1, rows - 1)
        left, right = tl.maximum(column - 1, 0), tl.minimum(column + 1, columns - 1)
        costs = tl.where(is_start, 0.0, costs)
        labels = tl.where(is_start, 0.0, tl.full((rows, columns), float("inf"), tl.float64))
        changed = 1
        while (changed != 0) & (rounds > 0):
            upright = tl.minimum(tl.minimum(tl.gather(labels, above, 0), tl.gather(labels, below, 0)), labels)
            middle = upright if diagonal else labels
            beside = tl.minimum(tl.gather(middle, left, 1), tl.gather(middle, right, 1))
            relaxed = tl.minimum(upright, beside) + costs
            changed = tl.max((relaxed != labels).to(tl.int32))
            labels = relaxed
            rounds -= 1
        return labels

    @triton.jit
    def _predecessors(
        labels, costs, row, column, is_start, rows: tl.constexpr, columns: tl.constexpr, diagonal: tl.constexpr
    ):
        """Number of the tile before each tile: the first neighbour with a smaller, exact label; its own without one."""
        before = row * columns + column
        waiting = (labels < float("inf")) & (is_start == 0)
        for down in tl.static_range(-1, 2):
            in_rows = (row + down >= 0) & (row + down < rows)
            upright = tl.gather(labels, tl.minimum(tl.maximum(row + down, 0), rows - 1), 0)
            for right in tl.static_range(-1, 2):
                if (down != 0 or right != 0) and (diagonal or down * right == 0):
                    inside = in_rows & (column + right >= 0) & (column + right < columns)
                    there = tl.gather(upright, tl.minimum(tl.maximum(column + right, 0), columns - 1), 1)
                    chosen = waiting & inside & (there < labels) & (there + costs == labels)
                    before = tl.where(chosen, (row + down) * columns + column + right, before)
                    waiting = waiting & (chosen == 0)
        return before

    @triton.jit(do_not_specialize=["height", "width", "first", "last"])
    def cheapest_path(
        costs_start,
        masks_start,
        outcomes_start,
        height,
        width,
        first,
        last,
        rows: tl.constexpr,
        columns: tl.constexpr,
        diagonal: tl.constexpr,
    ):
        """Solves the map that has the program's number, in a block of rows x columns tiles, walls where the map has none.

        Tiles are numbered along the rows of the block; ``first`` is the start's number, ``last`` the goal's. The walk ends
        at a tile that is before itself: the start, a tile that is stuck on a plateau, or a goal that cannot be reached.
        """
        row = tl.broadcast_to(tl.arange(0, rows)[:, None], (rows, columns))
        column = tl.broadcast_to(tl.arange(0, columns)[None, :], (rows, columns))
        tile = row * columns + column
        inside = (row < height) & (column < width)
        number = tl.program_id(0)
        offsets = number.to(tl.int64) * height * width + row * width + column
        costs = tl.load(costs_start + offsets, mask=inside, other=float("inf"))
        labels = _labels(costs, row, column, tile == first, height * width, rows, columns, diagonal)
        before = _predecessors(labels, costs, row, column, tile == first, rows, columns, diagonal)
        mask = tile == last
        here, following = last, tl.sum(tl.where(tile == last, before, 0))
        steps = height * width
        while (following != here) & (steps > 0):
            here = following
            mask = mask | (tile == here)
            following = tl.sum(tl.where(tile == here, before, 0))
            steps -= 1
        is_reached = tl.min(tl.where(tile == last, labels, float("inf"))) < float("inf")
        outcome = tl.where(is_reached, tl.where(here == first, 1, 2), 0)
        tl.store(masks_start + offsets, (mask & (outcome > 0)).to(tl.uint8), mask=inside)
        tl.store(outcomes_start + number, outcome)
