"""Functions of the user's modules and files: where they are looked for, and what is said where they are not."""

import os
import random
import re
import sys
from pathlib import Path

import pytest
import torch

from imle_cli.messages import DataError, UsageError
from imle_cli.problems.imported import imported


@pytest.fixture(autouse=True)
def _modules_and_their_path_are_put_back(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", sys.path.copy())
    yield
    for name, module in sys.modules.copy().items():
        if str(tmp_path) in (getattr(module, "__file__", None) or ""):
            del sys.modules[name]


def write(path, text="def solver(theta): return theta\ndef others(): pass\n"):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_module_of_the_current_folder():
    write("mine_a.py", "class Solver:\n    @staticmethod\n    def call(): return 3\n")
    assert imported("MODULE", "mine_a:Solver.call")() == 3
    assert imported("MODULE", "math:pi") == pytest.approx(3.14159, abs=1e-5)


def test_a_file(tmp_path):
    file = write(tmp_path / "folder" / "mine_b.py", "import beside_b\nsolver = beside_b.number\n")
    write(tmp_path / "folder" / "beside_b.py", "number = 4\n")
    for name in ("folder/mine_b.py", str(file)):
        assert imported("MODULE", f"{name}:solver") == 4
    assert sys.modules["mine_b"].__name__ == "mine_b"  # so that another process finds what is pickled


def test_a_file_in_a_package():
    write("packed_c/__init__.py", "")
    write("packed_c/inner/__init__.py", "")
    write("packed_c/inner/mine_c.py", "from ..beside_c import number as solver\n")
    write("packed_c/beside_c.py", "number = 5\n")
    assert imported("MODULE", "packed_c/inner/mine_c.py:solver") == 5
    assert imported("MODULE", "packed_c.inner.mine_c:solver") == 5


@pytest.mark.parametrize("name", ["my-solver.py", "random.py", "torch.py", "a.b.py"])
def test_a_file_of_a_name_that_no_module_can_have_or_a_library_has(name):
    libraries = {"random": random, "torch": torch}
    write(name)
    assert imported("MODULE", f"{name}:solver")(6) == 6
    assert {name: sys.modules[name] for name in libraries} == libraries


def test_the_folder_comes_last_and_stays():
    """A module may import others later; none takes the place of a library's."""
    sys.path[:0] = ["", str(Path.cwd())]
    write("secrets.py", "raise SystemExit('the wrong one')\n")
    write("late_d.py", "number = 7\n")
    write("mine_d.py", "import secrets\ndef solver():\n    import late_d\n    return secrets.randbelow(1) + late_d.number\n")
    assert imported("MODULE", "mine_d:solver")() == 7
    assert [entry for entry in sys.path if Path(entry).resolve() == Path.cwd()] == sys.path[-1:]


def test_a_module_that_changes_the_folder(tmp_path):
    write("mine_e.py", "import os\nos.chdir('..')\nsolver = 8\n")
    try:
        assert imported("MODULE", "mine_e:solver") == 8
        assert Path.cwd() == tmp_path.parent
    finally:
        os.chdir(tmp_path)


def test_the_error_of_a_module_that_changes_the_folder(tmp_path):
    write("mine_f.py", "import os\nos.chdir('..')\n1 / 0\n")
    try:
        with pytest.raises(DataError, match=r"^mine_f:solver: cannot be imported \(ZeroDivisionError: division by zero\);"):
            imported("MODULE", "mine_f:solver")
    finally:
        os.chdir(tmp_path)


ERRORS = {
    "no_such:solver": "no_such:solver: no module 'no_such' is installed or in {here}, where there are exits_g.py, "
    "imports_g.py, mine_g.py, opens_g.py, random.py, reads_g.py, ...",
    "mine_h:solver": "mine_h:solver: no module 'mine_h' is installed or in {here}; did you mean mine_g?",
    "mine_g.inner:solver": "mine_g.inner:solver: no module 'mine_g.inner' is installed or in {here}, where there are "
    "exits_g.py, imports_g.py, mine_g.py, opens_g.py, random.py, reads_g.py, ...",
    "mine_h.py:solver": "mine_h.py:solver: there is no file mine_h.py; did you mean mine_g.py?",
    "none/mine_g.py:solver": "none/mine_g.py:solver: there is no file none/mine_g.py, where there is no Python file",
    "mine_g:solvr": "mine_g:solvr: mine_g has no 'solvr'; did you mean 'solver'?",
    "mine_g.py:solvr": "mine_g.py:solvr: mine_g.py has no 'solvr'; did you mean 'solver'?",
    "mine_g:nothing": "mine_g:nothing: mine_g has no 'nothing'; it has solver, others",
    "mine_g:solver.call": "mine_g:solver.call: solver has no 'call'; it has nothing",
    "random:solver": "random:solver: random has no 'solver'; for the file in the current folder give random.py:solver",
    "imports_g:solver": "imports_g:solver: cannot be imported (ModuleNotFoundError: No module named 'no_such_g'); --debug "
    "shows where",
    "opens_g:solver": "opens_g:solver: cannot be imported (FileNotFoundError: [Errno 2] No such file or directory: 'none'); "
    "--debug shows where",
    "exits_g:solver": "exits_g:solver: cannot be imported (SystemExit: 0); --debug shows where",
    "untold_g:solver": "untold_g:solver: cannot be imported (Untold: ); --debug shows where",
    "reads_g:solver": "reads_g:solver: cannot be imported (SyntaxError: '(' was never closed (reads_g.py, line 1)); --debug "
    "shows where",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ERRORS)
def test_what_cannot_be_imported(name, tmp_path):
    write("mine_g.py")
    write("random.py")
    write("imports_g.py", "import no_such_g\n")
    write("opens_g.py", "open('none')\n")
    write("exits_g.py", "raise SystemExit(0)\n")
    write("untold_g.py", "class Untold(BaseException):\n    def __str__(self): return 1\nraise Untold\n")
    write("reads_g.py", "solver = (\n")
    with pytest.raises(DataError, match=f"^{re.escape(ERRORS[name].format(here=tmp_path))}$") as caught:
        imported("MODULE", name)
    assert type(caught.value) is DataError


FORMS = {
    "mine_i": "MODULE: got 'mine_i'; it must be module:name; there are mine_i:solver, mine_i:Other",
    "mine_i.py": "MODULE: got 'mine_i.py'; it must be module:name; there are mine_i.py:solver, mine_i.py:Other",
    "mine_i:": "MODULE: got 'mine_i:'; it must be module:name",
    ":solver": "MODULE: got ':solver'; it must be module:name",
    "no_such": "MODULE: got 'no_such'; it must be module:name",
}


@pytest.mark.parametrize("name", FORMS)
def test_names_of_another_form(name):
    write("mine_i.py", "import something\ndef solver(theta): return theta\nclass Other: pass\n")
    with pytest.raises(UsageError, match=f"^{re.escape(FORMS[name])}$"):
        imported("MODULE", name)


def test_what_else_it_may_be():
    message = "MODULE: got 'dijkstr'; it must be module:name, or one of dijkstra, path; did you mean 'dijkstra'?"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        imported("MODULE", "dijkstr", ["dijkstra", "path"])
