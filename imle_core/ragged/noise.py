"""Noise of a ragged batch: an instance's draws do not depend on its batch mates, nor on padding."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_core import contracts
from imle_core.contracts import Noise, declared
from imle_core.ragged.instances import Instances


def draw_noise(
    instances: Instances,
    noise: Noise,
    like: Tensor,
    nb_samples: int,
    generator: torch.Generator | None,
    solver: Any = None,
) -> Tensor:
    """Noise ``(B, S, n, *rest)`` for padded parameters ``(B, n, *rest)``, 0 where they are padded.

    Instances one after the other draw, from the same generator, what they draw together. Noise that draws for several sizes
    at once gets a seed of each instance from the generator, other noise is asked instance by instance. Noise that wants to
    know the size of solutions is told that of each instance.

    Raises:
        ArgumentError: as :func:`imle_core.contracts.draw_noise`.
        ArgumentTypeError: likewise.
    """
    if declared(noise, "sample_ragged", ("sample",)) is None:
        return _one_by_one(instances, noise, like, nb_samples, generator, solver)
    keys = _keys(len(instances), like.device if generator is None else generator.device, generator)
    shape = (len(instances), nb_samples, *like.shape[1:])
    if not getattr(noise, "wants_size", False):
        return _at_once(noise, shape, instances.sizes, keys, like)
    of_each = _sized(instances, noise, solver, like.shape[2:])
    eps = like.new_zeros(shape)
    for sized in {id(sized): sized for sized in of_each if sized is not None}.values():
        which = np.flatnonzero([other is sized for other in of_each])
        some = (len(which), *shape[1:])
        drawn = _at_once(sized, some, instances.sizes[which], keys[which], like)
        if len(which) == len(instances):
            return drawn
        eps[torch.from_numpy(which).to(like.device)] = drawn
    return eps


def _sized(instances: Instances, noise: Any, solver: Any, rest: tuple[int, ...]) -> list[Any]:
    """The noise for solutions of each instance; None for one without entries."""
    each = declared(solver, "typical_ones_of_each")
    if each is not None and len(each) == len(instances):
        return [noise.sized(max(1.0, float(ones))) for ones in each]
    of_size = {size: contracts.sized(noise, solver, (size, *rest)) for size in instances.by_size}
    return [of_size.get(size) for size in instances.sizes.tolist()]


def _at_once(noise: Any, shape: tuple[int, ...], sizes: NDArray[np.int64], keys: NDArray[np.int64], like: Tensor) -> Tensor:
    eps: Tensor = noise.sample_ragged(shape, sizes, keys, dtype=like.dtype, device=like.device)
    return eps


def _keys(count: int, device: torch.device, generator: torch.Generator | None) -> NDArray[np.int64]:
    """Seeds, ``(B,)``, the same from one request as from many."""
    if device.type == "cpu":
        return torch.empty(count, dtype=torch.int64).random_(generator=generator).numpy()
    seeds = [torch.empty(1, dtype=torch.int64, device=device).random_(generator=generator) for _ in range(count)]
    return torch.cat(seeds).cpu().numpy() if seeds else np.empty(0, np.int64)


def _one_by_one(
    instances: Instances,
    noise: Noise,
    like: Tensor,
    nb_samples: int,
    generator: torch.Generator | None,
    solver: Any,
) -> Tensor:
    eps = like.new_zeros(len(instances), nb_samples, *like.shape[1:])
    for b, size in enumerate(instances.sizes.tolist()):
        if size:
            alone = like[b : b + 1, :size]
            eps[b : b + 1, :, :size] = contracts.draw_noise(noise, alone, nb_samples, generator, solver)
    return eps
