"""Errors of the estimator, word for word."""

import inspect
import re

import pytest
import torch

from imle_core import imle, perturb_and_map
from imle_core.solvers import TopK


class Plain:
    """Noise that knows the shape alone."""

    def sample(self, shape):
        return torch.ones(shape)


class Odd:
    def sample(self, _):
        return torch.ones(3)


ERRORS = {
    "no tensor": (
        lambda: imle(TopK(1))([[1.0]]),
        TypeError,
        "theta: got list; it must be a tensor; use torch.as_tensor",
    ),
    "whole numbers": (
        lambda: imle(TopK(1))(torch.ones(2, 2, dtype=torch.int64)),
        TypeError,
        "theta: got torch.int64; it must have a floating type; use theta.float()",
    ),
    "no batch": (
        lambda: imle(TopK(1))(torch.ones(3)),
        ValueError,
        "theta: got shape (3,); it must be (B, *event) with a batch axis in front; use theta.unsqueeze(0) for one instance, "
        "theta.unsqueeze(-1) for B single numbers",
    ),
    "NaN": (
        lambda: imle(TopK(1))(torch.tensor([[1.0, torch.nan]])),
        ValueError,
        "theta: got 1 NaN of 2 entries; it must have none; look for the cause upstream",
    ),
    "wrong shape of solutions": (
        lambda: imle(lambda theta: theta[:, :1])(torch.ones(2, 3)),
        ValueError,
        "solver: gave shape (2, 1) for parameters of shape (2, 3); it must map (N, *event) to (N, *event), row by row; N is "
        "batch x samples",
    ),
    "array as solution": (
        lambda: imle(lambda theta: theta.numpy())(torch.ones(2, 3)),
        TypeError,
        "solver: gave ndarray; it must give a tensor; wrap arrays in torch.as_tensor",
    ),
    "wrong shape of noise": (
        lambda: imle(TopK(1), None, Odd(), 2)(torch.ones(2, 3)),
        ValueError,
        "noise_distribution: Odd.sample gave shape (3,), asked for (2, 2, 3); it must give the shape asked for",
    ),
    "generator for noise without one": (
        lambda: imle(TopK(1), None, Plain(), generator=torch.Generator())(torch.ones(2, 3)),
        ValueError,
        "generator: Plain.sample takes none; the draws would not come from it; give sample a keyword argument named "
        "generator",
    ),
    "no samples": (
        lambda: imle(TopK(1), nb_samples=0),
        ValueError,
        "nb_samples: got 0; it must be a whole number >= 1; use 1 for a single sample",
    ),
    "half a sample": (
        lambda: imle(TopK(1), nb_samples=0.5),
        ValueError,
        "nb_samples: got 0.5; it must be a whole number >= 1; use 1 for a single sample",
    ),
    "negative input temperature": (
        lambda: imle(TopK(1), input_noise_temperature=-1.0),
        ValueError,
        "input_noise_temperature: got -1.0; it must be a finite number >= 0; use 0 for no noise",
    ),
    "infinite target temperature": (
        lambda: imle(TopK(1), target_noise_temperature=float("inf")),
        ValueError,
        "target_noise_temperature: got inf; it must be a finite number >= 0; use 0 for no noise",
    ),
    "sense": (
        lambda: imle(TopK(1), sense="least"),
        ValueError,
        "sense: got 'least'; it must be one of 'max', 'min'",
    ),
    "reduction": (
        lambda: imle(TopK(1), reduction="sum"),
        ValueError,
        "reduction: got 'sum'; it must be one of 'none', 'stacked', 'mean'",
    ),
    "difference": (
        lambda: imle(TopK(1), difference="both"),
        ValueError,
        "difference: got 'both'; it must be one of 'forward', 'central'",
    ),
    "no solver": (
        lambda: imle(3),
        TypeError,
        "function: got int; it must be callable; pass the solver first",
    ),
    "no target": (
        lambda: imle(TopK(1), 3.0),
        TypeError,
        "target_distribution: got float, which has no method params; use TargetDistribution(alpha, beta)",
    ),
    "no step size": (
        lambda: imle(TopK(1), type("T", (), {"params": lambda *_: 0})(), scale_gradient=True),
        TypeError,
        "target_distribution: got T, which has no method step_size; scale_gradient divides by it",
    ),
    "no noise": (
        lambda: imle(TopK(1), None, 1.0),
        TypeError,
        "noise_distribution: got float, which has no method sample; use GumbelNoiseDistribution() or None",
    ),
    "upstream": (
        lambda: (imle(TopK(1))(torch.ones(2, 3, requires_grad=True)) * torch.nan).sum().backward(),
        ValueError,
        "upstream gradient: got 6 entries of 6 that are NaN or infinite; it must be finite; look at the loss",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_say_what_was_got_the_rule_and_the_remedy(name):
    call, kind, message = ERRORS[name]
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        call()


@pytest.mark.parametrize("settings", [{"nb_samples": 0}, {"temperature": -1.0}])
def test_settings_of_perturb_and_map(settings):
    with pytest.raises(ValueError, match=r"^(nb_samples: got 0|temperature: got -1\.0); it must be"):
        perturb_and_map(TopK(1), torch.ones(1, 2), **settings)


def test_a_noise_whose_signature_cannot_be_read_gets_the_shape_alone():
    with pytest.raises(ValueError, match="signature"):
        inspect.signature(min)

    class Opaque:
        sample = staticmethod(min)

    with pytest.raises(AttributeError, match="'int' object has no attribute 'shape'"):
        imle(TopK(1), None, Opaque())(torch.ones(2, 3))
