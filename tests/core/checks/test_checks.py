"""Refusals of arguments: their four parts, and that they come through where errors are copied and sent."""

import copy
import pickle

import numpy as np
import pytest

import imle_core
from imle_core.checks import ArgumentError, ArgumentTypeError, check_whole, check_whole_or_infinite
from imle_core.contracts import LossError
from imle_core.solvers.black_box.task import UninterruptibleError

PARTS = ("k", "0", "it must be a whole number >= 1", "use 1")


@pytest.mark.parametrize("kind", [ArgumentError, ArgumentTypeError, LossError, UninterruptibleError])
class TestArgumentError:
    def test_the_text_is_made_of_the_parts(self, kind):
        error = kind(*PARTS)
        assert (error.name, error.got, error.rule, error.remedy) == PARTS
        assert str(error) == "k: got 0; it must be a whole number >= 1; use 1"
        assert str(kind(*PARTS, verb="gave")) == "k: gave 0; it must be a whole number >= 1; use 1"

    @pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
    def test_a_copy_has_all_parts(self, kind, way):
        error = kind(*PARTS, "gave")
        again = way(error)
        assert type(again) is kind
        assert vars(again) == vars(error)
        assert str(again) == str(error)

    def test_it_is_caught_as_what_it_was_before(self, kind):
        assert isinstance(kind(*PARTS), ValueError)
        assert isinstance(kind(*PARTS), TypeError) == (kind is ArgumentTypeError)


def test_it_is_public():
    assert imle_core.ArgumentError is ArgumentError
    with pytest.raises(imle_core.ArgumentError) as caught:
        imle_core.perturb_and_map(lambda rows: rows, "theta")
    assert caught.value.name == "theta"


@pytest.mark.parametrize("value", [0, -1, 2.0, True, "3", None, np.float64(3), np.bool_(True)], ids=repr)
def test_what_is_no_whole_number_or_too_small_is_refused(value):
    with pytest.raises(ArgumentError) as caught:
        check_whole("k", value, 1, "use 1")
    assert str(caught.value) == f"k: got {value!r}; it must be a whole number >= 1; use 1"


@pytest.mark.parametrize("value", [1, np.int8(3), np.uint64(2**63), 10**30], ids=repr)
def test_whole_numbers_pass(value):
    check_whole("k", value, 1, "use 1")
    with pytest.raises(ArgumentError, match="it must be a whole number >= "):
        check_whole("k", value, int(value) + 1, "use more")


@pytest.mark.parametrize("value", [0, 0.5, 2.5, -np.inf, np.nan], ids=repr)
def test_what_is_neither_whole_nor_infinite_is_refused(value):
    with pytest.raises(ArgumentError) as caught:
        check_whole_or_infinite("s", value, "use 1", "the noise has")
    assert str(caught.value) == f"s: the noise has {value!r}; it must be a whole number >= 1, or math.inf; use 1"


@pytest.mark.parametrize("value", [1, 2.0, np.float32(7), np.inf], ids=repr)
def test_whole_and_infinite_numbers_pass(value):
    check_whole_or_infinite("s", value, "use 1")
