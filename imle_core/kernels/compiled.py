"""Compiled kernels: numba with a cache on disk, also where the package itself cannot be written to."""

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial, wraps
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numba
import numpy as np
from numba.core import event
from numba.core.types.misc import unliteral

from imle_core.kernels import notice
from imle_core.kernels.cache import KernelCache

_functions: "WeakSet[Callable[..., Any]]" = WeakSet()  # that are kernels
_kernels: "WeakSet[Any]" = WeakSet()  # that Python may call


class _Watch(event.Listener):
    """Says when a kernel is compiled because no cache has it, and when it has been; functions of others are theirs."""

    def on_start(self, happening: event.Event) -> None:
        function = happening.data["dispatcher"].py_func
        if function in _functions:
            notice.begins(_subject(function.__module__))

    def on_end(self, happening: event.Event) -> None:
        if happening.data["dispatcher"].py_func in _functions:
            notice.ends()


def _subject(module: str) -> str:
    """Words for what is compiled: "noise, sum of gamma" of the module ``imle_core.noise.kernels.sum_of_gamma``."""
    folder, _, name = module.rpartition(".kernels.")
    return ", ".join([*folder.split(".")[-1:], name.replace("_", " ")]) if folder else name.rpartition(".")[2]


event.register("numba:compile", _Watch())


def is_compiling() -> bool:
    """True where kernels are compiled: not under NUMBA_DISABLE_JIT, with which debuggers and coverage look into them."""
    return not numba.config.DISABLE_JIT  # type: ignore[attr-defined]


def compiled(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Compiles ``function`` at its first call for each combination of types, without the interpreter's lock.

    The machine code is kept beside the source or in the user's cache folder, for the next start of Python, with that of all
    kernels that it calls. Where neither can be written, each process compiles anew. Where numba does not compile, Python
    runs the function: slowly, with the same results, and like machine code silent about numbers that overflow.

    Args:
        function: what numba can compile.
        options: further ones of numba.
    """
    if not is_compiling():
        return _interpreted(function)
    options |= {"nogil": True, "no_cfunc_wrapper": True}
    compile_for: Any = numba.njit  # whose types leave out some options
    kernel: Any = compile_for(**options)(function)
    # What lets Python call a kernel takes longer to compile than many a kernel: other kernels call a form without it.
    within: Any = compile_for(no_cpython_wrapper=True, **options)(function)
    kernel.get_call_template, kernel.get_overload = partial(_template, within), within.get_overload
    kernel.get_compile_result = within.get_compile_result
    _functions.add(function)
    _kernels.add(kernel)
    with suppress(OSError):  # no sources that tell what a cache is for
        kernel._cache = KernelCache(function)
    return kernel  # type: ignore[no-any-return]


def _template(within: Any, kinds: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """Types for a call by a kernel; those of constants are those of any number, or each would have a version of its own."""
    plain = {name: unliteral(kind) for name, kind in named.items()}
    return within.get_call_template(tuple(map(unliteral, kinds)), plain)


class _Thread(threading.local):
    is_silent = False  # whether numbers of this thread may overflow without a warning


_thread = _Thread()


def _interpreted(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def run(*arguments: Any) -> Any:
        if _thread.is_silent:  # called by a kernel: a state of errors of its own would take as long as it
            return function(*arguments)
        _thread.is_silent = True
        try:
            with np.errstate(all="ignore"):
                return function(*arguments)
        finally:
            _thread.is_silent = False

    return run


def compiled_borrowing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiles like :func:`compiled` a function that neither makes nor returns arrays, and borrows those it is given.

    Without that, references to arrays in tuples are counted wherever such a function calls another.
    """
    return compiled(function, _nrt=False)


def is_ready(kernel: Any, first: Any) -> bool:
    """True where calls of a kernel with such a first argument find their machine code, in this process or in the cache."""
    kind = numba.typeof(first)
    return any(kinds[0] == kind for kinds in list(kernel.overloads)) or (
        isinstance(kernel._cache, KernelCache) and kernel._cache.holds(kind, kernel.targetctx)
    )


def cache_folder(kernel: Any) -> Path | None:
    """Folder in which a kernel is kept, or None where none can be written to."""
    path = kernel._cache.cache_path if isinstance(kernel._cache, KernelCache) else None
    return None if path is None else Path(path)


def cache_folders() -> list[Path]:
    """Folders in which kernels are kept that this process has called or compiled."""
    folders = (cache_folder(kernel) for kernel in list(_kernels) if kernel.overloads)
    return sorted({folder for folder in folders if folder is not None})
