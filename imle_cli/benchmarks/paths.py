"""Speeds of cheapest paths: against other libraries, against a plain compiled kernel, and from a device."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from imle_cli.benchmarks import rivals as rival_paths
from imle_cli.benchmarks.measurement import Row, on_threads, threads_in_words
from imle_cli.benchmarks.rounds import in_rounds
from imle_cli.files.maps.terrain import built_in_map
from imle_core import GumbelNoiseDistribution, SumOfGammaNoiseDistribution, perturb_and_map
from imle_core.solvers import GridPath

Kind: TypeAlias = Literal["noisy built-in", "uniform random"]

_FLOOR = GridPath().floor


def noisy_maps(side: int, count: int, seed: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Minus the costs of the built-in map, resized to the nearest tile, with Sum-of-Gamma noise: ``(count, side, side)``.

    The noise is the project's usual one for a map of this side, at temperature 1; costs are clamped to the solver's floor.
    """
    nearest = ((np.arange(side) + 0.5) * 16 / side).astype(int)
    costs = torch.from_numpy(built_in_map()[np.ix_(nearest, nearest)]).to(dtype)
    noise, generator = SumOfGammaNoiseDistribution(1.3 * side, 100), torch.Generator().manual_seed(seed)
    perturbed = perturb_and_map(lambda theta: theta, -costs[None], noise, nb_samples=count, generator=generator)[0]
    return perturbed.clamp(max=-_FLOOR)


def random_maps(side: int, count: int, seed: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Minus independent costs from U(0.1, 10): ``(count, side, side)``."""
    generator = torch.Generator().manual_seed(seed)
    return -(0.1 + 9.9 * torch.rand(count, side, side, generator=generator, dtype=dtype))


_MAKERS: dict[Kind, Callable[[int, int, int, torch.dtype], Tensor]] = {
    "noisy built-in": noisy_maps,
    "uniform random": random_maps,
}


def engines(_: torch.device, seed: int, *, side: int, count: int) -> Iterator[Row]:
    """The compiled engine against the one of networkx."""
    maps, subject = _enlarged(side, count, seed), f"{count} map{'s' if count > 1 else ''} of {side}x{side}"
    reference, compiled = GridPath(engine="networkx"), GridPath()
    rounds = in_rounds(lambda: reference(maps), lambda: compiled(maps))
    slow, fast = (rounds.seconds(number).rate(count) for number in (0, 1))
    yield Row(subject, "networkx engine", slow, "maps/s")
    yield Row(subject, "compiled engine", fast, "maps/s", rounds.ratio(0, 1), "networkx engine")


def large_map(_: torch.device, seed: int, *, names: Sequence[str], side: int = 512) -> Iterator[Row]:
    """One map against the libraries of these names that are installed, all on one core."""
    rivals = {name: prepare for name, prepare in rival_paths.installed().items() if name in names}
    if rivals:
        theta = _enlarged(side, 1, seed)
        yield from _against(f"1 map of {side}x{side}, one core", "compiled engine", theta, rivals, on_threads(1))


def huge_map(_: torch.device, seed: int) -> Iterator[Row]:
    """One map by itself."""
    maps, solver = _enlarged(2048, 1, seed), GridPath()
    yield Row("1 map of 2048x2048", "compiled engine", in_rounds(lambda: solver(maps)).seconds().rate(), "maps/s")


def every_rival(
    _: torch.device | None,
    seed: int,
    *,
    kind: Kind,
    side: int,
    dtype: torch.dtype,
    count: int = 1600,
    names: Sequence[str] | None = None,
) -> Iterator[Row]:
    """A batch on all of torch's threads against every library, each on one thread and over as many maps as time allows.

    Of libraries that are installed, those of ``names`` are measured, or all.
    """
    theta = _MAKERS[kind](side, count, seed, dtype)
    subject = f"{count:,} {kind} maps of {side}x{side}, {str(dtype).removeprefix('torch.')}"
    solver = f"GridPath, {threads_in_words(torch.get_num_threads())}"
    rivals = {name: prepare for name, prepare in rival_paths.installed().items() if names is None or name in names}
    yield from _against(subject, solver, theta, rivals, nullcontext())


def plain_kernel(_: torch.device, seed: int, *, side: int = 16, count: int = 100) -> Iterator[Row]:
    """A batch against the textbook's algorithm, compiled as well, both on one thread and both on all of torch's."""
    theta, solver = noisy_maps(side, count, seed), GridPath()
    for threads in sorted({1, torch.get_num_threads()}):
        with on_threads(threads), ThreadPoolExecutor(threads) as pool:
            rounds = in_rounds(partial(_plain_masks, theta, threads, pool), partial(solver, theta))
        subject = f"{count:,} noisy built-in maps of {side}x{side}, {threads_in_words(threads)}"
        slow, fast = (rounds.seconds(number).rate(count) for number in (0, 1))
        yield Row(subject, "plain binary heap, compiled", slow, "maps/s")
        yield Row(subject, "GridPath", fast, "maps/s", rounds.ratio(0, 1), "plain binary heap, compiled")


def from_device(device: torch.device, seed: int, *, count: int, side: int = 16) -> Iterator[Row]:
    """Maps that lie on a GPU, there and back included, against maps that lie in main memory; no row without a GPU."""
    if device.type != "cuda":
        return
    solver, near = GridPath(), noisy_maps(side, count, seed)
    far = near.to(device)

    def there_and_back() -> None:
        solver(far)
        torch.cuda.synchronize()

    torch.cuda.synchronize()
    rounds = in_rounds(partial(solver, near), there_and_back)
    slow, fast = (rounds.seconds(number).rate(count) for number in (0, 1))
    subject = f"{count:,} noisy built-in maps of {side}x{side}"
    yield Row(subject, "GridPath, theta on cpu", slow, "maps/s")
    yield Row(subject, f"GridPath, theta on {device}", fast, "maps/s", rounds.ratio(0, 1), "GridPath, theta on cpu")


def _enlarged(side: int, count: int, seed: int) -> Tensor:
    """Minus the costs of the built-in map, enlarged, with Gumbel noise: ``(count, side, side)``."""
    costs = torch.from_numpy(np.kron(built_in_map(), np.ones((side // 16, side // 16))))
    noise, generator = GumbelNoiseDistribution(), torch.Generator().manual_seed(seed)
    return perturb_and_map(lambda theta: theta, -costs[None], noise, nb_samples=count, generator=generator)[0].float()


def _against(
    subject: str, means: str, theta: Tensor, rivals: dict[str, rival_paths.Prepare], threads: AbstractContextManager[None]
) -> Iterator[Row]:
    """Rows of every rival, and after each one of ours with its ratio; all of them take turns."""
    costs, solver = (-theta).clamp(min=_FLOOR).numpy(), GridPath()
    with threads:
        samples = [rival_paths.prepare_sample(prepare, costs) for prepare in rivals.values()]
        runs = (partial(rival_paths.one_by_one, solves) for solves in samples)
        rounds = in_rounds(partial(solver, theta), *runs, patience=1.5)
    ours = rounds.seconds(0).rate(len(theta))
    for number, (name, solves) in enumerate(zip(rivals, samples, strict=True), 1):
        yield Row(subject, name, rounds.seconds(number).rate(len(solves)), "maps/s")
        yield Row(subject, means, ours, "maps/s", rounds.ratio(number, 0).times(len(theta) / len(solves)), name)


def _plain_masks(theta: Tensor, threads: int, pool: ThreadPoolExecutor) -> Tensor:
    """Masks of the textbook's algorithm, ``(N, H, W)``, in as many equal shares as there are threads."""
    from imle_cli.benchmarks.kernels.plain_dijkstra import plain_paths  # here, since numba takes half a second to import

    rows, masks = theta.numpy(), torch.zeros_like(theta)
    ends = pairwise(len(rows) * thread // threads for thread in range(threads + 1))
    own, *shares = [(rows[first:last], masks.numpy()[first:last], _FLOOR) for first, last in ends]
    tasks = [pool.submit(plain_paths, *share) for share in shares]
    plain_paths(*own)
    for task in tasks:
        task.result()
    return masks
