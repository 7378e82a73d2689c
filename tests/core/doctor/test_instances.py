"""Instances that a solver is asked for: where they lie, and how many."""

import pytest
import torch

from draws import generator
from imle_core.doctor.instances import with_instances
from imle_core.doctor.subject import Subject


def subject_of(solver, shape=(3,), low=-1.0, high=1.0, count=16):
    return with_instances(Subject(solver, shape, low, high, None, 1, generator()), count)


def above(theta):
    return (theta > 0).to(theta)


def test_instances_are_within_their_bounds_and_half_of_them_close():
    subject = subject_of(above, low=2.0, high=5.0)
    assert subject.theta.shape == (16, 3)
    assert 2 <= subject.theta.min() < subject.theta.max() <= 5
    assert (subject.theta[8:] - subject.theta[0]).abs().max() < 1
    assert (subject.theta[1:8] - subject.theta[0]).abs().max() > 1
    assert torch.equal(subject.theta, subject_of(above, low=2.0, high=5.0).theta)
    assert set(subject.ties.unique().tolist()) == {2.75, 3.5, 4.25}
    assert subject.ties[0].unique().tolist() == [3.5]


def test_a_solver_that_refuses_gets_as_many_as_are_wanted():
    def refuses(theta):
        raise KeyError(theta)

    subject = Subject(refuses, (3,), -1.0, 1.0, None, 1, generator())
    assert with_instances(subject, 16).theta.shape == (16, 3)
    assert subject.theta.numel() == 0


@pytest.mark.slow
@pytest.mark.parametrize(("size", "count"), [(2**14, 16), (2**17, 8), (2**20, 4)])
def test_large_instances_are_few(size, count):
    subject = subject_of(torch.zeros_like, (size,))
    assert (len(subject.theta), subject.wanted, subject.pace) == (count, 16, 0.0)
