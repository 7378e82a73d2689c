"""Pictures of the command do not depend on the user's settings of matplotlib, and these cause no messages."""

import os
from pathlib import Path

import pytest

import warm

pytestmark = pytest.mark.process

STYLE = "savefig.bbox: tight\nfont.family: NoSuchFont\nfigure.dpi: 30\naxes.facecolor: red\nsvg.fonttype: none\n"
BAD = "text.usetex: True\naxes.formatter.use_locale: True\nno line at all\nfigure.dpi: x\nno.such.key: 1\n"
UNWRITABLE = "/dev/null/nowhere"
VARIABLES = {"MPLBACKEND", "MPLCONFIGDIR", "MATPLOTLIBRC"}
COMMAND = ["-m", "imle_cli", "noise", "--noise", "gumbel", "--samples", "100", "--out", "p.png"]
# What the command does, without what takes long.
DRAWING = """
import locale, os, sys
assert "matplotlib" not in sys.modules
from pathlib import Path
from imle_cli.figures.settings import ignore_user_settings
folder = os.getcwd()
ignore_user_settings()
assert os.getcwd() == folder
import matplotlib, numpy
from imle_cli.figures import canvas, maps
assert matplotlib.get_backend() == "agg"
assert locale.setlocale(locale.LC_NUMERIC) == "C"
assert matplotlib.rcParams["axes.facecolor"] == "white"
Path("p.png").write_bytes(canvas.encode(maps.map_figure(numpy.eye(3) + 1, numpy.eye(3), title="a map"), "png"))
"""


def picture(environment, arguments=("-c", DRAWING)):
    """The bytes of a picture drawn in such an environment, by a process that has not imported matplotlib yet."""
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    result = warm.run(*arguments, env=kept | environment, imported="library")
    assert (result.returncode, result.stderr) == (0, "")
    return Path("p.png").read_bytes()


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("plain"))
    try:
        return picture({})
    finally:
        os.chdir(before)


@pytest.mark.slow
def test_the_command_ignores_files_and_variables():
    expected = picture({}, COMMAND)
    Path("matplotlibrc").write_text(STYLE + BAD)
    assert picture({"MPLBACKEND": "module://matplotlib_inline.backend_inline"}, COMMAND) == expected


def test_a_file_in_the_current_folder(expected):
    Path("matplotlibrc").write_text(STYLE + BAD)
    assert picture({"MPLBACKEND": "module://matplotlib_inline.backend_inline"}) == expected


def test_a_file_in_another_encoding(expected):
    Path("matplotlibrc").write_bytes(b"font.family: \xff\xfe")
    assert picture({"MPLBACKEND": "no such backend"}) == expected


def test_a_file_that_a_variable_names(expected):
    Path("mine").write_text(STYLE + BAD)
    assert picture({"MATPLOTLIBRC": "mine", "MPLBACKEND": "TkAgg"}) == expected


def test_a_folder_of_settings_and_styles(expected):
    Path("settings/stylelib").mkdir(parents=True)
    Path("settings/matplotlibrc").write_text(STYLE + BAD)
    Path("settings/stylelib/mine.mplstyle").write_text(BAD)
    assert picture({"MPLCONFIGDIR": "settings"}) == expected


@pytest.mark.skipif(os.name != "posix", reason="a path below a file that is none")
def test_homes_that_cannot_be_written_to(expected):
    homes = dict.fromkeys(("MPLCONFIGDIR", "HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), UNWRITABLE)
    assert picture(homes) == expected
