"""One curve of a picture of speeds."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ScalingCurve:
    """Time of a map against one thing.

    Attributes:
        subject: what stays as it is.
        against: what varies.
        means: with what maps are solved.
        values: of what varies.
        seconds: a map takes, at each of them.
        intervals: ends of the 95% interval of each of these times; None where too little was measured for one.
    """

    subject: str
    against: str
    means: str
    values: tuple[int, ...]
    seconds: tuple[float, ...]
    intervals: tuple[tuple[float, float] | None, ...]

    @property
    def record(self) -> dict[str, Any]:
        """The same for JSON."""
        texts = {"subject": self.subject, "against": self.against, "means": self.means}
        return {**texts, "places": self.values, "seconds": self.seconds, "intervals": self.intervals}
