"""``imle warm-up``: everything compiled beforehand, so that nobody waits for it later."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from imle_cli.console import Report, Result
from imle_cli.messages import DataError
from imle_cli.options.groups import Without
from imle_cli.options.report import ReportOptions

if TYPE_CHECKING:
    import torch
    from torch import Tensor

EXAMPLES = ("imle warm-up",)
Step = tuple[str, Callable[[], object]]
"""What a step is about, and what it does."""


def warm_up(
    report: Annotated[ReportOptions, Without("seed", "device")],  # noqa: ARG001 - for the console
    console: Report,
) -> Result:
    """Compile all that is compiled at first use, for images and clusters.

    The code stays in the folder that NUMBA_CACHE_DIR names, else beside the library, else in the user's cache folder, for
    this version, this Python and processors such as this one. A second call finds it there, and takes some seconds.
    """
    os.environ["IMLE_COMPILE"] = "first"
    from imle_core.kernels import notice
    from imle_core.kernels.compiled import cache_folders, is_compiling

    console.begin()
    if not is_compiling():
        raise DataError("NUMBA_DISABLE_JIT is set, so that nothing is compiled; unset it")
    steps, before = list(_steps()), notice.compiled_so_far()
    console.compiling.is_announced = True
    console.note("compiling what is not there yet; all of it takes a core about a minute")
    with console.progress("compiling", len(steps)) as advance:
        for done, (subject, compile_kernels) in enumerate(steps):
            advance(done, f"kernels for {subject}")
            compile_kernels()
    folders = cache_folders()
    if not folders:
        raise DataError("no folder can be written to in which the code would stay; let NUMBA_CACHE_DIR name one")
    values = {
        "compiled": notice.compiled_so_far() - before,
        "compile_seconds": console.compiling.seconds,
        "cache": str(Path(os.path.commonpath(folders))),
        "bytes": sum(file.stat().st_size for folder in folders for file in folder.glob("*.nb[ic]")),
    }
    return Result(values, _told)


def _told(values: dict[str, Any]) -> list[tuple[str, str]]:
    new = f"{values['compiled']} functions in {values['compile_seconds']:.1f} s"
    return [
        ("compiled", new if values["compiled"] else "nothing; all was there"),
        ("cache", f"{values['cache']}, {values['bytes'] / 1e6:.1f} MB"),
    ]


def _steps() -> Iterator[Step]:
    """Everything that is compiled, for each type of numbers."""
    import torch

    import imle_core
    from imle_core.estimators import projections
    from imle_core.solvers import kernel_calls

    noises = {
        "Sum-of-Gamma noise": imle_core.SumOfGammaNoiseDistribution(20.8, 100),
        "Gumbel noise": imle_core.GumbelNoiseDistribution(),
        "normal noise": imle_core.NormalNoiseDistribution(),
        "logistic noise": imle_core.LogisticNoiseDistribution(),
    }
    generator = torch.Generator().manual_seed(0)
    for dtype in (torch.float32, torch.float64):
        name = str(dtype).partition(".")[2]
        for subject, noise in noises.items():
            yield f"{subject}, {name}", partial(noise.sample, (5,), dtype=dtype, generator=generator)
            theta, layer = (
                torch.zeros(3, dtype=dtype),
                imle_core.imle(_unchanged, noise_distribution=noise, generator=generator),
            )
            yield f"instances of several sizes, {subject}, {name}", partial(layer.ragged, theta, [0, 1, 3])
        yield f"sums of instances of several sizes, {name}", partial(_add_up, dtype)
        for subject, step in kernel_calls.kernel_calls(dtype):
            yield f"{subject}, {name}", step
    point = torch.ones(1, 2)
    yield "projections", partial(projections.nearest_in_cone, point, point[:, None])
    opposites = torch.tensor([[[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]]])
    yield "projections beside lines", partial(projections.nearest_in_cone, point, opposites)
    yield "projections on hulls", partial(_project_on_hull, point)


def _add_up(dtype: "torch.dtype") -> None:
    import torch

    from imle_core import ragged

    ragged.entry_sums(torch.ones(1, 2, dtype=dtype))
    ragged.sample_means(torch.ones(1, 2, 2, dtype=dtype))


def _project_on_hull(point: "Tensor") -> None:
    from imle_core.estimators import projections

    projections.nearest_in_hull(lambda theta: (theta > 0).to(theta), point / 2).along(point)


def _unchanged(theta: "Tensor") -> "Tensor":
    """Theta itself: the answer of a solver that has no kernels."""
    return theta
