"""What tests of solvers share: each of them in turn, with the shape of a batch that it solves."""

import pytest

from all_solvers import BATCHES


@pytest.fixture(params=BATCHES)
def solver_and_shape(request):
    return BATCHES[request.param]
