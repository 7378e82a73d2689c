"""Freed memory: what the allocator is told, and where it is not asked."""

import ctypes
import sys

import pytest

from imle_cli.trainings.perception.memory import keep_freed_memory


@pytest.mark.parametrize(("platform", "options"), [("linux", {-1, -2, -3}), ("darwin", set()), ("win32", set())])
def test_only_an_allocator_that_knows_the_options_is_told(monkeypatch, platform, options):
    told = set()

    class Library:
        @staticmethod
        def mallopt(option, size):
            assert size >= 2**26
            told.add(option)

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: Library)
    keep_freed_memory()
    assert told == options


def test_another_library_of_linux(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    asked = []
    monkeypatch.setattr(ctypes, "CDLL", lambda name: asked.append(name) or object())
    keep_freed_memory()
    assert asked == [None]
