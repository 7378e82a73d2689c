"""Numbers about speed: what is none of them is refused by name."""

import pytest

from imle_core.checks import ArgumentTypeError
from imle_core.solvers import AcyclicGridPath, GridPath, Tuning


@pytest.mark.parametrize("solver", [GridPath, AcyclicGridPath])
@pytest.mark.parametrize(
    ("tuning", "got"), [(None, "NoneType"), ("fast", "str"), (Tuning, "the class Tuning"), (tuple(Tuning()), "tuple")]
)
def test_what_is_no_tuning_is_refused(solver, tuning, got):
    with pytest.raises(ArgumentTypeError) as caught:
        solver(tuning=tuning)
    assert str(caught.value) == f"tuning: got {got}; it must be a Tuning; use Tuning(), or leave it out"


@pytest.mark.parametrize("solver", [GridPath, AcyclicGridPath])
def test_numbers_of_a_tuning_are_taken(solver):
    assert solver(tuning=Tuning(examples=3)).tuning.examples == 3
