"""Steps of a training that are kept: every one at first, where most happens, and fewer and fewer later."""

_SHARE = 12  # a gap is at most this part of the steps before it


def is_kept(step: int, every: int | None = None) -> bool:
    """True for steps to keep.

    Args:
        step: number of the step, from 0.
        every: distance between kept steps; if None 1 for steps before 24, then 2, 5, 10, 20, 50 and so on, always the
            largest of these that is at most a twelfth of the step: 24 + 18 + 12 for each of them up to ten times as far.
    """
    return step % (gap(step) if every is None else every) == 0


def gap(step: int) -> int:
    """Distance to the next kept step."""
    power = 1
    while 10 * power * _SHARE <= step:
        power *= 10
    return power * next(factor for factor in (5, 2, 1) if factor * power * _SHARE <= step or factor == 1)
