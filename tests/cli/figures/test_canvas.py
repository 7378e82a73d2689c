"""What all pictures share: settings of their own, whatever those of the user."""

import importlib
import inspect
import pkgutil

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

import imle_cli.figures
from imle_cli.figures import canvas, graphs, items, maps, reproduction
from imle_cli.figures.heat_maps import heat_maps
from imle_cli.figures.noise import noise_figure

OTHERS = {
    "text.usetex": True,
    "savefig.bbox": "tight",
    "savefig.dpi": 30,
    "font.family": ["NoSuchFont"],
    "font.size": 30,
    "axes.facecolor": "red",
    "axes.titlelocation": "left",
    "figure.constrained_layout.use": True,
    "image.lut": 4,
    "lines.linestyle": ":",
    "path.sketch": (5, 50, 2),
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "xtick.bottom": False,
}
MODULES = [name for _, name, _ in pkgutil.iter_modules(imle_cli.figures.__path__, "imle_cli.figures.")]
MASK, COSTS = np.eye(4), np.arange(1.0, 17).reshape(4, 4)
CURVE = reproduction.ReproductionCurve(
    "a", np.array([2.0, 1.0]), np.array([1.0, 0.5]), np.array([3.0, 2.0]), ["fact"], (1.0, 0.1)
)
DRAWN = {
    "map": lambda: maps.map_figure(COSTS, MASK, np.argwhere(MASK), title="map"),
    "marginals": lambda: maps.marginals_figure(COSTS, MASK, MASK / 2, title="marginals", samples=9),
    "samples": lambda: maps.sample_sheet(COSTS, np.stack([MASK] * 3), title="samples"),
    "noise": lambda: noise_figure(
        np.arange(9.0), np.arange(4.0), np.ones(3) / 9, title="$x", curve="density", facts=["fact"]
    ),
    "heat maps": lambda: heat_maps({1: [[1.0, 2.0]]}, [1.0], [0.0, 1.0], title="sweep", label="loss"),
    "items": lambda: items.item_figure(items.Items(["a", "b"], np.array([1.0, 2.0])), np.array([0, 1]), title="items"),
    "reproduction": lambda: reproduction.reproduction_figure([CURVE], title="again"),
    "graph": lambda: graphs.samples_figure(
        graphs.Drawing(["a", "b"], np.eye(2), np.array([[0, 1]]), np.ones(1), True, [0, 1]),
        np.ones((2, 1)),
        title="graph",
    ),
}


def functions():
    """All public functions that give a figure."""
    for name in MODULES:
        for function in vars(importlib.import_module(name)).values():
            ours = inspect.isfunction(function) and function.__module__ == name
            if ours and function.__name__[0] != "_" and inspect.signature(function).return_annotation is Figure:
                yield function


def test_functions_that_draw_are_seen():
    assert len(list(functions())) > 15


@pytest.mark.parametrize("function", [*functions(), canvas.encode], ids=lambda function: function.__qualname__)
def test_everything_that_draws_has_settings_of_its_own(function):
    assert inspect.unwrap(function) is not function
    assert inspect.getclosurevars(function).nonlocals["self"].func is inspect.unwrap(canvas.own_settings)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), [*((name, "png") for name in DRAWN), ("noise", "pdf"), ("noise", "svg")])
def test_pictures_are_the_same_under_other_settings_which_stay(name, kind):
    expected = canvas.encode(DRAWN[name](), kind)
    with mpl.rc_context(OTHERS):
        before = dict(mpl.rcParams)
        assert canvas.encode(DRAWN[name](), kind) == expected
        assert dict(mpl.rcParams) == before


def test_settings_come_back_after_an_error():
    with mpl.rc_context(OTHERS):
        before = dict(mpl.rcParams)
        with pytest.raises(KeyError):
            canvas.encode(Figure(), "bmp")
        assert dict(mpl.rcParams) == before


def test_the_backend_is_left_alone():
    before = dict.__getitem__(mpl.rcParams, "backend")
    canvas.encode(DRAWN["noise"](), "png")
    assert dict.__getitem__(mpl.rcParams, "backend") is before
