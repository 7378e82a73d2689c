"""The error of an argument that is refused: a line in parts, of what was got, the rule, and the remedy."""

from typing import Any

_MOST_BITS, _MOST_LETTERS = 256, 80  # a value in a message has so many at most


class ArgumentError(ValueError):
    """``name: got ...; rule; remedy``: the refusal of an argument, in parts that a caller may word anew.

    Attributes:
        name: the argument, or what the error is about.
        got: what it was, in words.
        rule: what it must be, or why it cannot be used.
        remedy: what to do.
        verb: what comes before ``got`` in the text; nothing if empty.
    """

    def __init__(self, name: str, got: str, rule: str, remedy: str, verb: str = "got") -> None:
        super().__init__(name, got, rule, remedy, verb)  # pickles and copies make the error again of these
        self.name, self.got, self.rule, self.remedy, self.verb = name, got, rule, remedy, verb

    def __str__(self) -> str:
        what = f"{self.verb} {self.got}" if self.verb else self.got
        return f"{self.name}: {what}; {self.rule}; {self.remedy}"


class ArgumentTypeError(ArgumentError, TypeError):
    """The refusal of an argument for its type."""


def wrong_shape(name: str, value: Any, rule: str, remedy: str, beside: str = "", verb: str = "got") -> ArgumentError:
    """The error of a tensor or array of a wrong shape; ``beside`` goes on after it, such as " for 3 rows"."""
    return ArgumentError(name, f"shape {tuple(value.shape)}{beside}", rule, remedy, verb)


def shown(value: Any) -> str:
    """A value as a message can show it, which a number of thousands of digits or a long text cannot be."""
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return f"a whole number of {value.bit_length()} bits"
    text = " ".join(repr(value).split())  # tensors take several lines
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]}..."
