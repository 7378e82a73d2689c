r"""Programs in LP format, as CPLEX, Gurobi, HiGHS, SCIP and their modelling languages write it.

An objective, constraints, bounds and lists of integer and binary variables, each section after a line with its name; the
reference manuals of CPLEX and Gurobi describe it. Blanks are not needed between numbers, names and operators. A name may
have indices, ``x[1,a]``. Lazy constraints and user cuts are constraints like others. A constraint may have numbers on both
sides, ``-2 <= x + y <= 8``, and a constant among its terms.
"""

import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from imle_core.solvers.integer_program.linear_model import FormatError, LinearModel, mistake, number, unsupported

_SECTIONS = (
    ("objective", r"minimi[sz]e|minimum|min|maximi[sz]e|maximum|max"),
    ("constraints", r"subject\s+to|such\s+that|st\.?|s\.t\.|lazy\s+constraints?|user\s+cuts?"),
    ("bounds", r"bounds?"),
    ("integers", r"generals?|gen|integers?|int"),
    ("binaries", r"binary|binaries|bin"),
    ("semi-continuous variables", r"semi-continuous|semi-integers?|semiint|semis?"),
    ("special ordered sets", r"sos[12]?"),
    ("general constraints", r"general\s+constraints?|gencons|g\.c\."),
    ("piecewise linear functions", r"pwlobj|pwl"),
    ("scenarios", r"scenarios?"),
    ("end", r"end"),
)
_BIG = "write them with binary variables and large constants"
_REFUSED = {
    "semi-continuous variables": "model each with a binary variable",
    "special ordered sets": _BIG,
    "general constraints": _BIG,
    "piecewise linear functions": _BIG,
    "scenarios": "write each to a file of its own",
}
# The longest name first: "general constraints" is no "general". A name of a section before a colon is that of a row, if
# this goes on.
_WORDS = sorted(((words, name) for name, group in _SECTIONS for words in group.split("|")), key=lambda pair: -len(pair[0]))
_HEADER = re.compile(rf"\s*(?:{'|'.join(f'({words})' for words, _ in _WORDS)})(?:\s*:?\s*$|\s+(?![<>=:]|\s))", re.IGNORECASE)
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)
    |(?P<arrow><?->)
    |(?P<sense><=?|=<|>=?|=>|=)
    |(?P<name>[^\s\d.+\-*^<>=:\[\]\\/(),](?:[^\s+\-*^<>=:\[\]\\/]|\[[^\s\[\]]*\])*)
    |(?P<symbol>\S))""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_INFINITY = {"inf", "infinity"}
_SENSES = {"<": "<", "<=": "<", "=<": "<", ">": ">", ">=": ">", "=>": ">", "=": "="}
_MIRRORED = {"<": ">", ">": "<", "=": "="}


class _Token(NamedTuple):
    """A word: its kind, as in the expression above, or ``section`` or ``end`` of the file."""

    kind: str
    text: str
    line: int


def read_lp(lines: Iterable[str]) -> LinearModel:
    """The program that the lines tell.

    Raises:
        FormatError: they are not a linear or integer program in this format.
    """
    return _Reader(_words(lines)).read()


def _words(lines: Iterable[str]) -> Iterator[_Token]:
    line = 0
    for line, text in enumerate(lines, 1):
        content = text.partition("\\")[0]
        header = _HEADER.match(content)
        if header:
            yield _Token("section", _WORDS[(header.lastindex or 1) - 1][1], line)
            content = content[header.end() :]
        for match in _TOKEN.finditer(content.rstrip()):
            kind, word = str(match.lastgroup), match[match.lastindex or 0]
            if word in "()" or (kind == "name" and word.count("(") != word.count(")")):
                raise mistake(line, word, "constraints are sums without brackets", "multiply them out")
            if kind == "name" and word.endswith(","):
                raise mistake(line, word, "names stand between blanks", "take the comma away")
            yield _Token("number" if word.lower() in _INFINITY else kind, word, line)
    yield _Token("end", "end of file", line)


class _Reader:
    """Reads sections in turn; each method reads what it is named after, from the next word on."""

    def __init__(self, words: Iterator[_Token]) -> None:
        self._words, self._ahead, self._last = words, deque[_Token](), _Token("", "", 0)
        self._model = LinearModel()
        self._binaries: set[int] = set()
        self._has_objective = False

    def read(self) -> LinearModel:
        sections: dict[str, Callable[[], None]] = {
            "constraints": self._constraint,
            "bounds": self._bound,
            "integers": self._integer,
            "binaries": self._binary,
        }
        while (section := self._next()).text != "end":
            if section.kind == "end":
                raise FormatError(
                    f"line {section.line}: it ends without End; an LP file ends with it; check that it is whole"
                )
            if section.kind != "section":
                rule = "an LP file begins with Minimize or Maximize"
                raise mistake(section.line, section.text, rule, "check that it is in CPLEX's LP format")
            if section.text == "objective":
                self._objective()
                continue
            while self._peek().kind not in ("section", "end"):
                if section.text in _REFUSED:
                    raise unsupported(section.text, self._peek().line, self._peek().text, _REFUSED[section.text])
                sections[section.text]()
        for column in self._binaries:
            self._model.integral[column] = True
            self._model.lower[column] = max(self._model.lower[column], 0.0)
            self._model.upper[column] = min(self._model.upper[column], 1.0)
        return self._model

    def _peek(self, ahead: int = 0) -> _Token:
        while len(self._ahead) <= ahead:
            self._ahead.append(next(self._words, self._ahead[-1] if self._ahead else _Token("end", "end of file", 0)))
        return self._ahead[ahead]

    def _next(self) -> _Token:
        self._peek()
        self._last = self._ahead.popleft()
        return self._last

    def _refuse(self, word: _Token, rule: str, remedy: str = "mend the line") -> FormatError:
        return mistake(word.line, word.text, rule, remedy)

    def _label(self) -> _Token | None:
        if self._peek().kind in ("name", "number") and self._peek(1).text == ":":
            label = self._next()
            self._next()
            return label
        return None

    def _objective(self) -> None:
        if self._has_objective:
            raise self._refuse(self._peek(), "a file has one objective", "remove the other")
        self._has_objective = True
        if [self._peek(ahead).text.lower() for ahead in range(3)] == ["multi", "-", "objectives"]:
            raise unsupported("several objectives", self._peek().line, "multi-objectives", "keep one, or none")
        label = self._label()
        for column, _ in self._expression(label, "a quadratic objective")[0]:
            self._model.is_used[column] = True
        if self._peek().kind not in ("section", "end"):
            raise self._refuse(self._peek(), "an objective is a sum of numbers times variables")

    def _expression(self, label: _Token | None, quadratic: str) -> tuple[list[tuple[int, float]], float]:
        """Terms and the constant of a sum that may be empty."""
        terms: list[tuple[int, float]] = []
        constant, is_empty = 0.0, True
        while True:
            sign, has_sign = self._sign()
            word = self._peek()
            if word.text in ("[", "^", "*"):
                raise unsupported(quadratic, word.line, (label or word).text, "replace it by a linear one")
            is_term = word.kind in ("number", "name") and self._peek(1).text != ":"
            if not is_term and not has_sign:
                return terms, constant
            if not is_term or not (has_sign or is_empty):
                raise self._refuse(word, "terms are numbers times variables, with + or - between them")
            column, value = self._term()
            is_empty = False
            if column is None:
                constant += sign * value
            else:
                terms.append((column, sign * value))

    def _sign(self) -> tuple[float, bool]:
        sign, has_sign = 1.0, False
        while self._peek().text in ("+", "-"):
            sign, has_sign = (-sign if self._next().text == "-" else sign), True
        return sign, has_sign

    def _term(self) -> tuple[int | None, float]:
        word = self._next()
        if word.kind == "name":
            return self._model.column(word.text), 1.0
        if self._peek().text == "*" and self._peek(1).kind == "name":
            self._next()
        if self._peek().kind == "name" and self._peek(1).text != ":":
            return self._model.column(self._next().text), number(word.text, word.line)
        return None, number(word.text, word.line, limits=True)

    def _constraint(self) -> None:
        begin, label = self._peek(), self._label()
        kind = "quadratic constraints"
        terms, constant = self._expression(label, kind)
        sense = self._sense()
        if terms:
            limits = {sense: self._limit(begin) - constant}
        else:  # the number comes first
            limits = {_MIRRORED[sense]: constant}
            terms, moved = self._expression(label, kind)
            if self._peek().kind == "sense" and terms:
                if self._peek().line != begin.line and label is None:
                    raise self._refuse(
                        self._peek(), "it may begin another constraint", "write each in one line, or name them"
                    )
                second = self._sense()
                if second != sense or sense == "=":
                    raise self._refuse(begin, "a range is between two <= or two >=", "mend the line")
                limits[second] = self._limit(begin)
            limits = {side: limit - moved for side, limit in limits.items()}
        lower = limits.get(">", limits.get("=", -math.inf))
        upper = limits.get("<", limits.get("=", math.inf))
        if not (lower < math.inf and upper > -math.inf):
            raise self._refuse(begin, "no finite sum meets its infinite limit", "give it a finite one")
        row = self._model.add_row(lower, upper)
        for column, value in terms:
            self._model.is_used[column] = True
            self._model.add_entry(row, column, value)

    def _sense(self) -> str:
        if self._peek().kind != "sense":
            raise self._refuse(self._peek(), "a constraint or bound goes on with <=, >= or =")
        return _SENSES[self._next().text]

    def _number(self) -> float:
        sign, _ = self._sign()
        if self._peek().kind != "number":
            raise self._refuse(self._peek(), "a number belongs here, variables to the left")
        return sign * number(self._peek().text, self._next().line, limits=True)

    def _limit(self, begin: _Token) -> float:
        """The right-hand side of the constraint that begins there; only the next one's name may follow in its line."""
        value, line = self._number(), self._last.line
        word = self._peek()
        if word.kind == "arrow":
            raise unsupported("indicator constraints", begin.line, begin.text, _BIG)
        if word.line == line and word.kind not in ("section", "end") and self._peek(1).text != ":":
            raise self._refuse(word, "a right-hand side is a number, and each constraint has a line", "move it to the left")
        return value

    def _bound(self) -> None:
        low, high = self._model.lower, self._model.upper
        sense, value = "", 0.0
        if self._peek().kind != "name":
            value, sense = self._number(), _MIRRORED[self._sense()]
        if self._peek().kind != "name":
            raise self._refuse(self._peek(), "a bound is a number on either side of a variable")
        column = self._model.column(self._next().text)
        if not sense and self._peek().text.lower() == "free":
            self._next()
            low[column], high[column] = -math.inf, math.inf
            return
        bounds = [(sense, value)] if sense else []
        if self._peek().kind == "sense" or not sense:
            bounds.append((self._sense(), self._number()))
        for side, limit in bounds:
            if side in "<=":
                high[column] = limit
            if side in ">=":
                low[column] = limit

    def _integer(self) -> None:
        self._model.integral[self._listed()] = True

    def _binary(self) -> None:
        self._binaries.add(self._listed())

    def _listed(self) -> int:
        if self._peek().kind != "name":
            raise self._refuse(self._peek(), "names of variables belong here")
        return self._model.column(self._next().text)
