"""Examples in docstrings are run."""

import doctest
import importlib
import pkgutil
from functools import cache

import pytest

import imle
import imle_core

MODULES = [module.name for module in pkgutil.walk_packages(imle_core.__path__, "imle_core.")] + [imle.__name__]


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    runner = doctest.DocTestRunner()
    for test in examples(name):
        runner.run(test)
    assert runner.summarize().failed == 0


def test_there_are_examples():
    assert sum(len(examples(name)) for name in MODULES) >= 6


@cache
def examples(name):
    """Docstrings with examples: each that is run has a debugger of its own, which looks at all files that were read."""
    return [test for test in doctest.DocTestFinder().find(importlib.import_module(name)) if test.examples]
