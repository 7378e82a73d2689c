"""One curve of a picture of speeds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ScalingCurve:
    """Time of a map against one thing.

    Attributes:
        subject: what stays as it is.
        against: what varies.
        means: with what maps are solved.
        places: the values of what varies.
        seconds: a map takes, at each of them.
    """

    subject: str
    against: str
    means: str
    places: tuple[int, ...]
    seconds: tuple[float, ...]
