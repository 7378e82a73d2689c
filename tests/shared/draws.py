"""Numbers, noise and gradients that many tests take alike: ``from draws import normal`` (pyproject.toml has the folder)."""

import torch


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=generator(seed), dtype=dtype)


def gradient(layer, theta, dy, *arguments, **settings):
    """Gradient of ``<layer(theta), dy>`` with respect to ``theta``."""
    theta = theta.detach().clone().requires_grad_()
    output = layer(theta, *arguments, **settings)
    (result,) = torch.autograd.grad(output, theta, dy.reshape(output.shape))
    return result


class Recorded:
    """Noise that was drawn before."""

    def __init__(self, values):
        self.values = values

    def sample(self, shape):
        return self.values.view(shape).clone()


class RecordedNormal(Recorded):
    """Normal noise that was drawn before."""

    def score(self, x):
        return -x
