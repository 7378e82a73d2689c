"""Programs in MPS format, free or of fixed columns, as CPLEX, Gurobi, HiGHS, SCIP and their modelling languages write it.

A file has sections of lines with a few fields each: rows by name and kind, entries column by column, right-hand sides,
ranges, bounds. What a section means is said in the reference manuals of these solvers; where they disagree, a file is
refused: an entry, right-hand side or bound given twice, several sets of them, a negative upper bound alone.
"""

import math
from collections.abc import Callable, Iterable, Iterator

from imle_core.solvers.integer_program.linear_model import FormatError, LinearModel, mistake, number, shown, unsupported

_BIG = "write them with binary variables and large constants"
_REFUSED = {  # sections: what they have, which field of a line names one, and what to do
    **dict.fromkeys(("SOS", "SOS1", "SOS2", "SETS"), ("special ordered sets", 1, _BIG)),
    **dict.fromkeys(("QUADOBJ", "QMATRIX", "QSECTION"), ("a quadratic objective", 0, "replace it by a linear one")),
    **dict.fromkeys(("QCMATRIX", "CSECTION"), ("quadratic constraints", 0, "replace them by linear ones")),
    "INDICATORS": ("indicator constraints", 1, _BIG),
    "GENCONS": ("general constraints", 1, _BIG),
    **dict.fromkeys(("PWLOBJ", "PWLNAM", "PWLCON"), ("piecewise linear functions", 0, _BIG)),
    "SCENARIOS": ("scenarios", 0, "write each to a file of its own"),
}
_READ = {"NAME", "OBJSENSE", "OBJNAME", "ROWS", "LAZYCONS", "USERCUTS", "COLUMNS", "RHS", "RANGES", "BOUNDS", "ENDATA"}
_FIXED = ((1, 3), (4, 12), (14, 22), (24, 36), (39, 47), (49, 61))
_VALUED = {"UP", "LO", "FX", "LI", "UI"}
_PLAIN = {"FR", "MI", "PL", "BV"}
_SEMI = {"SC", "SI", "SN"}

Fields = Callable[[str, str, int], list[str]]


def read_mps(lines: Callable[[], Iterable[str]]) -> LinearModel:
    """The program that the lines tell; each call of ``lines`` gives them anew.

    Raises:
        FormatError: they are not a linear or integer program in this format.
    """
    try:
        return _Reader(_free).read(lines())
    except FormatError as error:
        try:  # names with blanks, which only fixed columns can tell from two
            return _Reader(_fixed).read(lines())
        except FormatError:
            raise error from None


def _free(section: str, text: str, _: int) -> list[str]:
    """Fields between blanks; one that is empty stands for the name of a set that is left out."""
    fields = text.split()
    if section in ("RHS", "RANGES") and len(fields) % 2 == 0:
        return ["", *fields]
    if section == "BOUNDS" and len(fields) == (3 if fields[0].upper() in _VALUED | _SEMI else 2):
        return [fields[0], "", *fields[1:]]
    return fields


def _fixed(section: str, text: str, line: int) -> list[str]:
    """Fields of fixed columns, without those at the end that are empty."""
    text = text.rstrip()
    if "'MARKER'" in text:  # its words stand between the columns
        return text.split()
    gaps = [text[last:first] for (_, last), (first, _) in zip(((0, 0), *_FIXED), (*_FIXED, (len(text), 0)), strict=True)]
    if any(gap.strip() for gap in gaps):
        raise mistake(line, text.strip(), "fields of this section stand in fixed columns or between blanks", "mend the line")
    fields = [text[first:last].strip() for first, last in _FIXED]
    while fields and not fields[-1]:
        fields.pop()
    return fields if section in ("ROWS", "LAZYCONS", "USERCUTS", "BOUNDS") else fields[1:]


class _Reader:
    """Reads sections in turn; ``fields`` cuts a line of one of them."""

    def __init__(self, fields: Fields) -> None:
        self._fields, self._section, self._model = fields, "", LinearModel()
        self._kinds: dict[str, str] = {}
        self._rows: dict[str, int] = {}
        self._right: dict[str, float] = {}
        self._ranges: dict[str, float] = {}
        self._given: set[tuple[str, str]] = set()
        self._sets: dict[str, str] = {}
        self._column, self._in_column, self._is_integer = "", set[str](), False
        self._parts: dict[str, Callable[[list[str], int], None]] = {
            **dict.fromkeys(("ROWS", "LAZYCONS", "USERCUTS"), self._row),
            "COLUMNS": self._entries,
            "RHS": self._sides,
            "RANGES": self._sides,
            "BOUNDS": self._bound,
        }

    def read(self, lines: Iterable[str]) -> LinearModel:
        line = 0
        for line, text in enumerate(lines, 1):
            if not text.strip() or text.startswith("*"):
                continue
            if not text[0].isspace():
                self._section = self._header(text.split(), line)
                if self._section == "ENDATA":
                    return self._finished()
            elif self._section in _REFUSED:
                kind, field, remedy = _REFUSED[self._section]
                raise unsupported(kind, line, text.split()[: field + 1][-1], remedy)
            elif self._section in self._parts:
                self._parts[self._section](self._fields(self._section, text, line), line)
            elif self._section not in ("OBJSENSE", "OBJNAME"):
                raise mistake(line, text.strip(), "a section such as ROWS comes first", "check that it is an MPS file")
        raise FormatError(f"line {line}: it ends without ENDATA; an MPS file ends with it; check that the file is whole")

    def _header(self, words: list[str], line: int) -> str:
        section = words[0].upper()
        if section not in _READ and section not in _REFUSED:
            rule = f"sections are {', '.join(sorted(_READ))}; other lines begin with a blank"
            raise mistake(line, words[0], rule, "mend or remove the line")
        if section in self._parts and len(words) > 1:
            raise mistake(line, " ".join(words), "a section's name stands alone, data begin with a blank", "mend the line")
        if section == "COLUMNS" and self._column:
            raise mistake(line, section, "a file has one such section", "remove one")
        return section

    def _row(self, fields: list[str], line: int) -> None:
        if len(fields) != 2 or fields[0].upper() not in tuple("NLGE"):
            raise mistake(line, " ".join(fields), "a row has a kind (N, L, G or E) and a name", "mend the line")
        kind, name = fields[0].upper(), fields[1]
        if name in self._kinds:
            raise mistake(line, name, "each row is named once", "rename one")
        self._kinds[name] = kind
        if kind != "N":
            self._rows[name] = self._model.add_row(-math.inf if kind == "L" else 0.0, math.inf if kind == "G" else 0.0)

    def _entries(self, fields: list[str], line: int) -> None:
        if "'MARKER'" in fields[1:2]:
            return self._marker(fields, line)
        name = fields[0] if fields else ""
        if len(fields) % 2 == 0 or not name:
            raise mistake(line, " ".join(fields), "a column has a name, then rows with numbers", "mend the line")
        if name != self._column:
            if name in self._model.columns:
                raise mistake(line, name, "all entries of a column stand together", "sort the lines")
            self._column, self._in_column = name, set()
            column = self._model.column(name)
            self._model.integral[column] = self._is_integer
        column = self._model.columns[name]
        for row, value in self._pairs(fields, line):
            if row in self._in_column:
                raise mistake(line, row, f"column {shown(name)} has an entry there already", "remove one of them")
            self._in_column.add(row)
            self._model.is_used[column] = True
            entry = number(value, line)
            if row in self._rows:
                self._model.add_entry(self._rows[row], column, entry)
        return None

    def _marker(self, fields: list[str], line: int) -> None:
        word = fields[-1].strip("'").upper()
        if word in ("SOSORG", "SOSEND"):
            raise unsupported("special ordered sets", line, fields[0], _BIG)
        if word not in ("INTORG", "INTEND"):
            raise mistake(line, fields[-1], "a marker is 'INTORG' or 'INTEND'", "mend the line")
        self._is_integer = word == "INTORG"

    def _pairs(self, fields: list[str], line: int) -> Iterator[tuple[str, str]]:
        for row, value in zip(fields[1::2], fields[2::2], strict=True):
            if row not in self._kinds:
                raise mistake(line, row, "section ROWS has no such row", "add it or mend the name")
            yield row, value

    def _sides(self, fields: list[str], line: int) -> None:
        if len(fields) < 3 or len(fields) % 2 == 0:
            raise mistake(line, " ".join(fields), "the name of a set comes first, then rows with numbers", "mend the line")
        self._check_set(fields[0], line)
        values = self._right if self._section == "RHS" else self._ranges
        for row, value in self._pairs(fields, line):
            if row in values:
                raise mistake(line, row, f"{self._section} has a number for it already", "remove one of them")
            values[row] = number(value, line, limits=self._kinds[row] != "N")

    def _check_set(self, name: str, line: int) -> None:
        if self._sets.setdefault(self._section, name) != name:
            rule = f"{self._section} has the set {shown(self._sets[self._section])} already"
            raise mistake(line, name, rule, "keep one set")

    def _bound(self, fields: list[str], line: int) -> None:
        kind = fields[0].upper()
        if kind in _SEMI:
            raise unsupported("semi-continuous variables", line, fields[:3][-1], "model each with a binary variable")
        if kind not in _VALUED | _PLAIN:
            raise mistake(line, fields[0], f"kinds of bounds are {', '.join(sorted(_VALUED | _PLAIN))}", "mend the line")
        if len(fields) not in ((4,) if kind in _VALUED else (3, 4)):
            raise mistake(line, " ".join(fields), "a bound has a kind, a set, a column and maybe a number", "mend the line")
        self._check_set(fields[1], line)
        name = fields[2]
        if name not in self._model.columns:
            raise mistake(line, name, "section COLUMNS has no such column", "add it or mend the name")
        if (kind, name) in self._given:
            raise mistake(line, f"{kind} {name}", "the column has such a bound already", "remove one of them")
        self._given |= {(kind, name), ("", name)}
        self._set_bound(kind, self._model.columns[name], number(fields[3], line, limits=True) if kind in _VALUED else 0.0)

    def _set_bound(self, kind: str, column: int, value: float) -> None:
        model = self._model
        if kind in ("BV", "LI", "UI"):
            model.integral[column] = True
        if kind in ("MI", "FR"):
            model.lower[column] = -math.inf
        if kind in ("PL", "FR"):
            model.upper[column] = math.inf
        if kind in ("LO", "LI", "FX"):
            model.lower[column] = value
        if kind in ("UP", "UI", "FX"):
            model.upper[column] = value
        if kind == "BV":
            model.lower[column], model.upper[column] = 0.0, 1.0

    def _finished(self) -> LinearModel:
        model = self._model
        for name, column in model.columns.items():
            if model.integral[column] and ("", name) not in self._given:
                model.upper[column] = 1.0
        for name, row in self._rows.items():
            right, kind = self._right.get(name, 0.0), self._kinds[name]
            if math.isinf(right) and (kind == "E" or (right > 0) != (kind == "L") or name in self._ranges):
                raise FormatError(f"row {shown(name)} has right-hand side {right:g}; nothing meets it; give a finite one")
            width = self._ranges.get(name, 0.0)
            model.row_lower[row] = right - (abs(width) if kind == "L" else -min(width, 0.0) if kind == "E" else 0.0)
            model.row_upper[row] = right + (abs(width) if kind == "G" else max(width, 0.0) if kind == "E" else 0.0)
            if kind == "L" and name not in self._ranges:
                model.row_lower[row] = -math.inf
            if kind == "G" and name not in self._ranges:
                model.row_upper[row] = math.inf
        return model
