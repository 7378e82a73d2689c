"""The package imle: everything public of the library under its names, and nothing that a training does not need."""

import ast
import importlib
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import imle
import imle_core

PACKAGE = Path(imle_core.__file__).parent
MIRRORED = (
    "contracts",
    "decisions",
    "doctor",
    "estimators",
    "exact",
    "lab",
    "losses",
    "noise",
    "perception",
    "sampling",
    "solvers",
)
MIRRORED += ("training",)
INSIDE = {"checks", "concurrency", "kernels", "ragged"}


def test_everything_public_of_the_library_is_at_the_top():
    assert imle.__all__ == imle_core.__all__
    assert all(getattr(imle, name) is getattr(imle_core, name) for name in imle_core.__all__)


def test_the_version_is_that_of_the_distribution():
    assert imle.__version__ == imle_core.__version__ == version("imle")


def test_every_package_of_the_library_has_its_name_here():
    folders = {path.stem for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert {name for name in folders if not name.startswith("_")} == {*MIRRORED, *INSIDE}


@pytest.mark.parametrize("name", MIRRORED)
def test_a_package_has_the_names_of_the_librarys(name):
    mirror, original = (importlib.import_module(f"{package}.{name}") for package in ("imle", "imle_core"))
    assert all(getattr(mirror, public) is getattr(original, public) for public in original.__all__)
    assert getattr(imle, name) is mirror


def test_dir_lists_names_and_modules():
    assert {*imle_core.__all__, *MIRRORED, "target", "wrapper", "__version__"} <= set(dir(imle))


def test_a_type_checker_sees_the_modules_that_are_imported_late():
    tree = ast.parse(Path(imle.__file__).read_text(encoding="utf-8"))
    seen = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        if node.module == "imle"
        for alias in node.names
    }
    assert seen == {path.stem for path in Path(imle.__file__).parent.glob("[a-z]*.py")}


def test_dir_of_pictures_lists_what_draws():
    assert set(dir(imle.draw)) == {*imle.draw.__all__, "__doc__"}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'imle' has no attribute 'imlee'"):
        imle.imlee  # noqa: B018


@pytest.mark.process
def test_the_import_brings_neither_pictures_nor_the_command():
    program = "import sys, imle; print(*{'matplotlib', 'typer', 'rich', 'imle_cli', 'imle_core.lab'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "\n"
