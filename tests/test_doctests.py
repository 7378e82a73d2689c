"""Examples in docstrings are run."""

import doctest
import importlib
import pkgutil

import pytest

import imle
import imle_core

MODULES = [module.name for module in pkgutil.walk_packages(imle_core.__path__, "imle_core.")] + [imle.__name__]


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    assert sum(bool(test.examples) for name in MODULES for test in finder.find(importlib.import_module(name))) >= 6
