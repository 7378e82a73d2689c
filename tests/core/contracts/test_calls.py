"""Errors of the estimator, word for word."""

import gc
import inspect
import re
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from imle_core import GumbelNoiseDistribution, SumOfGammaNoiseDistribution, TargetDistribution, imle, perturb_and_map
from imle_core.solvers import TopK


class Plain:
    """Noise that knows the shape alone."""

    def __init__(self, value=1.0):
        self.value = value

    def sample(self, shape):
        return torch.full(shape, self.value)


class Odd:
    def sample(self, _):
        return torch.ones(3)


class Target:
    def __init__(self, params):
        self.params = params


class AtOnce:
    """A solver that gives the same together with whatever noise."""

    def __init__(self, z):
        self.z = z

    def __call__(self, _):
        raise NotImplementedError

    def perturb_and_map(self, *_):
        return self.z


def step(target):
    imle(TopK(1), target)(torch.ones(2, 3, requires_grad=True)).sum().backward()


ERRORS = {
    "no tensor": (
        lambda: imle(TopK(1))([[1.0]]),
        TypeError,
        "theta: got list; it must be a dense tensor of real numbers; use torch.as_tensor",
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
        "batch x samples; for a function of one instance take BlackBox",
    ),
    "array as solution": (
        lambda: imle(lambda theta: theta.numpy())(torch.ones(2, 3)),
        TypeError,
        "solver: gave ndarray; it must give a dense tensor of real numbers; use torch.as_tensor",
    ),
    "wrong shape of noise": (
        lambda: imle(TopK(1), None, Odd(), 2)(torch.ones(2, 3)),
        ValueError,
        "noise_distribution: Odd.sample gave shape (3,), asked for (2, 2, 3); it must give the shape asked for; make the "
        "draws in that shape",
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
    "temperature of text": (
        lambda: imle(TopK(1), input_noise_temperature="1"),
        TypeError,
        "input_noise_temperature: got str; it must be a number; give one such as 1.0",
    ),
    "beta of text": (
        lambda: TargetDistribution(beta="10"),
        TypeError,
        "beta: got str; it must be a number; give one such as 1.0",
    ),
    "class of a noise": (
        lambda: imle(TopK(1), noise_distribution=GumbelNoiseDistribution),
        TypeError,
        "noise_distribution: got the class GumbelNoiseDistribution; it must be an object; make one: "
        "GumbelNoiseDistribution(...)",
    ),
    "class of a target": (
        lambda: imle(TopK(1), TargetDistribution),
        TypeError,
        "target_distribution: got the class TargetDistribution; it must be an object; make one: TargetDistribution(...)",
    ),
    "seed as generator": (
        lambda: imle(TopK(1), generator=0),
        TypeError,
        "generator: got int; it must be a torch.Generator or None; use torch.Generator().manual_seed(0)",
    ),
    "seed as generator of samples": (
        lambda: perturb_and_map(TopK(1), torch.ones(1, 2), GumbelNoiseDistribution(), generator=0),
        TypeError,
        "generator: got int; it must be a torch.Generator or None; use torch.Generator().manual_seed(0)",
    ),
    "sense": (
        lambda: imle(TopK(1), sense="least"),
        ValueError,
        "sense: got 'least'; it must be one of 'max', 'min'; use 'max' for instance",
    ),
    "reduction": (
        lambda: imle(TopK(1), reduction="sum"),
        ValueError,
        "reduction: got 'sum'; it must be one of 'none', 'stacked', 'mean'; use 'none' for instance",
    ),
    "difference": (
        lambda: imle(TopK(1), difference="both"),
        ValueError,
        "difference: got 'both'; it must be one of 'forward', 'central'; use 'forward' for instance",
    ),
    "no solver": (
        lambda: imle(3),
        TypeError,
        "function: got int; it must be callable; pass the solver first",
    ),
    "no target": (
        lambda: imle(TopK(1), 3.0),
        TypeError,
        "target_distribution: got float; it must have a method params; use TargetDistribution(alpha, beta)",
    ),
    "no step size": (
        lambda: imle(TopK(1), type("T", (), {"params": lambda *_: 0})(), scale_gradient=True),
        TypeError,
        "target_distribution: got T; it must have a method step_size; use TargetDistribution(), or scale_gradient=False",
    ),
    "no noise": (
        lambda: imle(TopK(1), None, 1.0),
        TypeError,
        "noise_distribution: got float; it must have a method sample; use GumbelNoiseDistribution() or None",
    ),
    "a class": (
        lambda: imle(TopK),
        TypeError,
        "function: got the class TopK; it must be a solver, an object; make one: TopK(...)",
    ),
    "a class to sample with": (
        lambda: perturb_and_map(TopK, torch.ones(1, 2)),
        TypeError,
        "function: got the class TopK; it must be a solver, an object; make one: TopK(...)",
    ),
    "complex parameters": (
        lambda: imle(TopK(1))(torch.ones(2, 2, dtype=torch.complex64)),
        TypeError,
        "theta: got torch.complex64; it must be a dense tensor of real numbers; use .real or .abs()",
    ),
    "sparse parameters": (
        lambda: imle(TopK(1))(torch.eye(2).to_sparse()),
        TypeError,
        "theta: got a tensor of layout torch.sparse_coo; it must be a dense tensor of real numbers; use .to_dense()",
    ),
    "quantised parameters": (
        lambda: imle(TopK(1))(torch.quantize_per_tensor(torch.eye(2), 0.1, 0, torch.qint8)),
        TypeError,
        "theta: got a quantised tensor (torch.qint8); it must be a dense tensor of real numbers; use .dequantize()",
    ),
    "parameters without numbers": (
        lambda: imle(TopK(1))(torch.ones(2, 2, device="meta")),
        TypeError,
        "theta: got a tensor without numbers of its own; it must be a dense tensor of real numbers; call solvers outside "
        "of tracing, torch.func and the meta device",
    ),
    "a NumPy array": (
        lambda: imle(TopK(1))(np.ones((2, 2))),
        TypeError,
        "theta: got ndarray; it must be a dense tensor of real numbers; use torch.as_tensor",
    ),
    "8 bits": (
        lambda: imle(TopK(1))(torch.ones(2, 2).to(torch.float8_e5m2)),
        TypeError,
        "theta: got torch.float8_e5m2; it must have a floating type; use theta.float()",
    ),
    "NaN as solution": (
        lambda: imle(lambda theta: theta / theta)(torch.tensor([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])),
        ValueError,
        "solver: gave NaN in 2 of 3 rows; a solution has numbers; run imle check on the solver",
    ),
    "a tuple without a tensor": (
        lambda: imle(lambda theta: (1.0, theta))(torch.ones(1, 2)),
        TypeError,
        "solver: gave a tuple whose first entry is float; it must give a dense tensor of real numbers; use torch.as_tensor",
    ),
    "an empty tuple": (
        lambda: imle(lambda _: ())(torch.ones(1, 2)),
        TypeError,
        "solver: gave an empty tuple; it must give solutions, alone or as the first of (z, *others); end it with return z",
    ),
    "lists as solutions": (
        lambda: imle(lambda theta: theta.tolist())(torch.ones(1, 2)),
        TypeError,
        "solver: gave a list whose first entry is list; it must give a dense tensor of real numbers; use torch.as_tensor",
    ),
    "a value before solutions": (
        lambda: imle(lambda theta: (theta.sum(dim=1), theta))(torch.ones(1, 2)),
        ValueError,
        "solver: gave a tuple whose first entry is of shape (1,) for parameters of shape (1, 2); it must map (N, *event) to "
        "(N, *event), row by row; N is batch x samples; put entry 2 first, which has it",
    ),
    "a complex solution": (
        lambda: imle(lambda theta: theta + 0j)(torch.ones(1, 2)),
        TypeError,
        "solver: gave torch.complex64; it must give a dense tensor of real numbers; use .real or .abs()",
    ),
    "complex noise": (
        lambda: imle(TopK(1), None, Plain(1j))(torch.ones(2, 3)),
        TypeError,
        "noise_distribution: Plain.sample gave torch.complex64; it must give a dense tensor of real numbers; use .real or "
        ".abs()",
    ),
    "a complex target": (
        lambda: step(Target(lambda theta, _: theta + 0j)),
        TypeError,
        "target_distribution: Target.params gave torch.complex64; it must give a dense tensor of real numbers; use .real or "
        ".abs()",
    ),
    "NaN as solution together with the noise": (
        lambda: imle(AtOnce(torch.full((2, 1, 3), torch.nan)))(torch.ones(2, 3)),
        ValueError,
        "solver: gave NaN in 2 of 2 rows; a solution has numbers; run imle check on the solver",
    ),
    "a complex solution together with the noise": (
        lambda: imle(AtOnce(torch.ones(2, 1, 3) * 1j))(torch.ones(2, 3)),
        TypeError,
        "solver: gave torch.complex64; it must give a dense tensor of real numbers; use .real or .abs()",
    ),
    "NaN as noise": (
        lambda: imle(TopK(1), None, Plain(torch.nan))(torch.ones(2, 3)),
        ValueError,
        "noise_distribution: Plain.sample gave 6 NaN of 6 draws; it must give numbers; look for 0/0 or log(0)",
    ),
    "a learned temperature": (
        lambda: imle(TopK(1), input_noise_temperature=torch.nn.Parameter(torch.tensor(2.0))),
        TypeError,
        "input_noise_temperature: got a Parameter that requires grad; no gradient reaches a setting; give "
        "float(input_noise_temperature), or divide theta by it, at temperature 1",
    ),
    "a learned temperature to sample with": (
        lambda: perturb_and_map(TopK(1), torch.ones(1, 2), temperature=torch.ones((), requires_grad=True)),
        TypeError,
        "temperature: got a Tensor that requires grad; no gradient reaches a setting; give float(temperature), or divide "
        "theta by it, at temperature 1",
    ),
    "a learned lambda": (
        lambda: TargetDistribution(beta=torch.nn.Parameter(torch.tensor(2.0))),
        TypeError,
        "beta: got a Parameter that requires grad; no gradient reaches a setting; give float(beta), or take "
        "AdaptiveTargetDistribution",
    ),
    "a learned scale of noise": (
        lambda: GumbelNoiseDistribution(scale=torch.nn.Parameter(torch.tensor(2.0))),
        TypeError,
        "scale: got a Parameter that requires grad; no gradient reaches a setting; give float(scale), or learn theta, whose "
        "place and scale do the same",
    ),
    "a learned k": (
        lambda: SumOfGammaNoiseDistribution(torch.nn.Parameter(torch.tensor(2.0))),
        TypeError,
        "k: got a Parameter that requires grad; no gradient reaches a setting; give float(k), or learn theta, whose scale "
        "does the same",
    ),
    "a target of another shape": (
        lambda: step(Target(lambda theta, _: theta[:, :1])),
        ValueError,
        "target_distribution: Target.params gave shape (2, 1) for parameters of shape (2, 3); it must keep their shape; "
        "give one parameter for each",
    ),
    "a target that is no tensor": (
        lambda: step(Target(lambda *_: None)),
        TypeError,
        "target_distribution: Target.params gave NoneType; it must give a dense tensor of real numbers; use torch.as_tensor",
    ),
    "a target of NaN": (
        lambda: step(Target(lambda theta, _: theta * torch.nan)),
        ValueError,
        "target_distribution: lambda times the upstream gradient makes 6 of 6 target parameters infinite or NaN in "
        "torch.float32; they must be finite where theta is; use a smaller lambda or loss scale, or theta.float()",
    ),
    "upstream": (
        lambda: (imle(TopK(1))(torch.ones(2, 3, requires_grad=True)) * torch.nan).sum().backward(),
        ValueError,
        "upstream gradient: got 6 entries of 6 that are NaN or infinite; it must be finite; look at the loss",
    ),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")  # is going out of use, which is not our subject
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

    with pytest.raises(TypeError, match=r"^noise_distribution: Opaque.sample gave int; it must give a dense tensor of"):
        imle(TopK(1), None, Opaque())(torch.ones(2, 3))


@pytest.mark.slow
def test_what_is_known_of_a_function_goes_with_it():
    def sample(shape, *, generator=None):
        return torch.rand(shape, generator=generator)

    imle(TopK(1), None, SimpleNamespace(sample=sample), generator=torch.Generator())(torch.ones(1, 2))
    left = weakref.ref(sample)
    del sample
    gc.collect()
    assert left() is None


def test_a_class_whose_sample_needs_no_object_is_a_noise():
    class Still:
        @staticmethod
        def sample(shape):
            return torch.zeros(shape)

    assert imle(TopK(1), noise_distribution=Still)(torch.tensor([[1.0, 2.0]])).tolist() == [[0.0, 1.0]]
