"""Calls of the solver under examination, and whom a refusal is about."""

from dataclasses import FrozenInstanceError, replace

import pytest
import torch

from draws import generator
from imle_core.doctor.example import RefusedError
from imle_core.doctor.instances import with_instances
from imle_core.doctor.subject import Subject


def subject_of(solver, shape=(3,), low=-1.0, high=1.0, domain=None, count=16):
    return with_instances(Subject(solver, shape, low, high, domain, 1, generator()), count)


def above(theta):
    return (theta > 0).to(theta)


def test_a_subject_is_made_without_a_call_of_its_solver_and_stays_as_it_is():
    def refuses(_):
        raise AssertionError

    subject = Subject(refuses, (3,), -1.0, 1.0, None, 1, generator())
    with pytest.raises(FrozenInstanceError):
        subject.sign = -1


def test_inside_is_the_domain_or_what_is_asked_for():
    theta = torch.tensor([[-9.0, 0.0, 9.0]])
    assert subject_of(above).inside(theta).tolist() == [[-1, 0, 1]]
    assert subject_of(above, domain=(-float("inf"), -2.0)).inside(theta).tolist() == [[-9, -2, -2]]


@pytest.mark.parametrize(
    ("solver", "kind", "message"),
    [
        (
            lambda theta: theta.nothing(),
            "AttributeError",
            r"raised AttributeError \('Tensor' object has no attribute 'nothing'\)",
        ),
        (lambda theta: [][0], "IndexError", r"raised IndexError \(list index out of range\)"),  # noqa: ARG005
        (lambda theta: theta.tolist(), "type", "gave list; it must give a tensor; use torch.as_tensor"),
        (lambda theta: theta[0], "shape", r"gave shape \(3,\) for \(16, 3\); it must keep the shape, N in front"),
        (lambda theta: theta / 0, "values", "gave NaN or infinite entries; a solution must be finite"),
    ],
)
def test_refusals(solver, kind, message):
    subject = subject_of(solver)
    with pytest.raises(RefusedError, match=f"^{message}$") as caught:
        subject.ask(subject.theta)
    assert caught.value.kind == kind
    assert caught.value.theta.shape == (16, 3)
    assert not subject.accepts(subject.theta)


def test_whom_a_refusal_is_about():
    def refuses(theta):
        if (theta[:, 0] > 0.5).any():
            raise KeyError(theta)
        return theta

    subject = subject_of(above)
    theta = torch.zeros(7, 3)
    theta[4, 0] = 0.75
    subject = replace(subject, solver=refuses)
    text, example = subject.refusal(RefusedError(theta, "KeyError", "raised KeyError", "do not"))
    assert text == "raised KeyError for instance 4 of 7; do not"
    assert example["theta"].tolist() == [[0.75, 0, 0]]


def test_a_refusal_that_does_not_happen_again_keeps_its_batch():
    subject = subject_of(above)
    text, example = subject.refusal(RefusedError(subject.theta, "KeyError", "raised KeyError"))
    assert text == "raised KeyError"
    assert torch.equal(example["theta"], subject.theta)


def test_solutions_in_eight_bits_are_read(examined):
    found = examined(lambda theta: (theta > 0).to(torch.float8_e4m3fn), nb_instances=8)
    assert found.fails == []
    assert "type" in found.warns
