"""Implicit Maximum Likelihood Estimation: any combinatorial solver as a differentiable PyTorch layer.

>>> import torch
>>> from imle import imle
>>> from imle.solvers import TopK
>>> theta = torch.tensor([[0.3, 0.1, 0.2]], requires_grad=True)
>>> z = imle(TopK(1))(theta)
>>> z.tolist()
[[1.0, 0.0, 0.0]]
>>> (-z[:, 1]).sum().backward()  # a loss that wants the second entry
>>> theta.grad
tensor([[ 1., -1.,  0.]])

Everything public of ``imle_core`` is here; ``help(imle_core)`` is the map of it. Its packages have their names here, too:
``imle.solvers``, ``imle.noise``, ``imle.estimators`` and so on. ``imle.wrapper``, ``imle.target`` and ``imle.noise`` are
modules of the paper's PyTorch library, so that code that was written for it runs unchanged.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import imle_core
from imle_core import *  # noqa: F403
from imle_core import __version__ as __version__

__all__ = imle_core.__all__
_MODULES = frozenset(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))

if TYPE_CHECKING:
    from imle import contracts as contracts
    from imle import decisions as decisions
    from imle import doctor as doctor
    from imle import draw as draw
    from imle import estimators as estimators
    from imle import exact as exact
    from imle import lab as lab
    from imle import losses as losses
    from imle import noise as noise
    from imle import perception as perception
    from imle import sampling as sampling
    from imle import solvers as solvers
    from imle import target as target
    from imle import training as training
    from imle import wrapper as wrapper
else:

    def __getattr__(name):
        if name in _MODULES:  # imported when somebody asks: pictures need more than a training does
            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_MODULES, "__version__", "__doc__"})
