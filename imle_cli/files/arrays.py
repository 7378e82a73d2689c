"""Arrays in files of NumPy: the header is read and judged before anything takes memory, and nothing is unpickled."""

import io
import math
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from imle_cli.files.sources import MAX_BYTES, SourceError, check_file, is_packed, open_unpacked
from imle_cli.files.standard_input import actual

Judge: TypeAlias = Callable[["np.dtype[Any]", tuple[int, ...]], None]
"""Raises what is wrong with a type and a shape."""

_SAVE = "save it with numpy.save"
_HEADER = 10_000  # bytes of a header, far more than one of numbers has
_BROKEN = (ValueError, EOFError, OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error)


def open_array(path: Path, judge: Judge, thing: str) -> NDArray[Any]:
    """The array in a ``.npy`` file, mapped into memory, or in a ``.npz`` archive of no other; also in a ``.npy.gz``.

    Args:
        path: the file.
        judge: called with type and shape before the numbers are read.
        thing: what the file holds, "map" for instance.

    Raises:
        SourceError: a file that cannot be read, is damaged, or holds something else than one array of numbers.
    """
    check_file(path, "a .npy file", thing)
    try:
        if zipfile.is_zipfile(actual(path)):
            return _from_archive(path, judge, thing)
        with open_unpacked(path) as stream:
            return _from_stream(path, stream, judge, mapped=not is_packed(path))
    except SourceError:
        raise
    except _BROKEN as reason:
        raise SourceError(path, f"cannot be read as an array ({str(reason)[:120]}); copy it or {_SAVE} again") from reason


def _from_archive(path: Path, judge: Judge, thing: str) -> NDArray[Any]:
    with zipfile.ZipFile(actual(path)) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        if len(names) != 1:
            listed = ", ".join(repr(name.removesuffix(".npy")) for name in names[:6]) + (", ..." if len(names) > 6 else "")
            got = f"holds {len(names)} arrays ({listed})" if names else "is an archive without arrays"
            raise SourceError(path, f"{got}; save the one {thing} with numpy.save")
        with archive.open(names[0]) as stream:
            return _from_stream(path, stream, judge, mapped=False)


def _from_stream(path: Path, stream: IO[bytes], judge: Judge, *, mapped: bool) -> NDArray[Any]:
    shape, by_columns, dtype = read_header(path, stream)
    if dtype.hasobject:
        raise SourceError(path, f"holds Python objects, which are not read since that may run code; {_SAVE} as numbers")
    if min(shape, default=1) < 0:
        raise SourceError(path, f"claims a shape below 0; {_SAVE} again")
    judge(dtype, shape)
    size, order = math.prod(shape) * dtype.itemsize, "F" if by_columns else "C"
    if not mapped and size > MAX_BYTES:
        raise SourceError(path, f"holds {size} bytes, more than {MAX_BYTES}; {_SAVE}, not compressed")
    content = b"" if mapped else stream.read(size)
    held = actual(path).stat().st_size - stream.tell() if mapped else len(content)
    if held < size:
        raise SourceError(path, f"is cut off: it holds {held} bytes of numbers and needs {size}; copy or save it again")
    if mapped and size:
        return np.memmap(actual(path), dtype, "r", stream.tell(), shape, order)  # type: ignore[call-overload,no-any-return]
    return np.frombuffer(content, dtype).reshape(shape, order=order)  # type: ignore[call-overload,no-any-return]


def read_header(path: Path, stream: IO[bytes]) -> tuple[tuple[int, ...], bool, "np.dtype[Any]"]:
    """Shape, whether columns come first, and type; arguments and errors as in :func:`open_array`."""
    version = npy.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        got = f"is an array of version {version[0]}.{version[1]}, whose fields have names"
        raise SourceError(path, f"{got}; {_SAVE} as numbers")
    counted = stream.read(2 * version[0])
    length = int.from_bytes(counted, "little")
    if length > _HEADER:
        raise SourceError(path, f"has a header of {length} bytes, that of numbers is below {_HEADER}; {_SAVE} as numbers")
    content = io.BytesIO(counted + stream.read(length))
    try:
        return npy.read_array_header_1_0(content) if version == (1, 0) else npy.read_array_header_2_0(content)
    except Exception as reason:  # whatever a damaged text raises when Python reads it as a literal
        raise SourceError(path, f"cannot be read as an array (its header is damaged); copy it or {_SAVE} again") from reason


def check_numbers(path: Path, dtype: "np.dtype[Any]", rule: str) -> None:
    """Refuses a type that is none of real numbers; ``rule`` says what the values must be."""
    if dtype.kind not in "biuf":
        kind = "fields with names" if dtype.names else str(dtype)
        raise SourceError(path, f"holds values of type {kind}; {rule}")
