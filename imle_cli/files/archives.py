"""Archives of arrays and of tensors: what they say of their contents is looked at before any of it is read.

Ours are stored as they are, never compressed, so that nothing in them is larger than the file.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any, TypeAlias
from zipfile import ZIP_STORED, ZipFile

import numpy as np
import torch
from numpy.typing import NDArray

from imle_cli.files.arrays import read_header

Shape: TypeAlias = tuple[int, ...]

_UNREADABLE = "cannot be read"


class ArchiveError(ValueError):
    """An archive that cannot be used; the message says why, not which."""


class DamagedArchiveError(ArchiveError):
    """An archive that is not whole, or none at all."""


def array_shapes(path: Path, kinds: Mapping[str, str]) -> list[Shape]:
    """Shapes of the arrays of a ``.npz``, which must be of these types.

    Raises:
        FileNotFoundError: there is none.
        ArchiveError: it is damaged, or has other arrays.
    """
    with _opened(path) as archive:
        return _shapes(path, archive, kinds)


def read_arrays(path: Path, kinds: Mapping[str, str], fit: Callable[[Sequence[Shape]], bool]) -> list[NDArray[Any]]:
    """The arrays of a ``.npz``, once their types and shapes are what they must be.

    Args:
        path: the file.
        kinds: types of the arrays by name, in any order of bytes.
        fit: says whether such shapes fit each other.

    Raises:
        FileNotFoundError: there is none.
        ArchiveError: it is damaged, or has other arrays.
    """
    with _opened(path) as archive:
        if not fit(_shapes(path, archive, kinds)):
            raise ArchiveError("has arrays that do not fit each other")
        return [_array(archive, name).astype(kind, copy=False) for name, kind in kinds.items()]


def read_state(path: Path, kinds: Mapping[str, type]) -> dict[str, Any]:
    """Content that ``torch.save`` wrote, a dict that has entries of these types.

    Raises:
        FileNotFoundError: there is none.
        ArchiveError: it is damaged, or something else.
    """
    with _opened(path) as archive:
        if archive.testzip() is not None:  # torch does not look at the check sums
            raise DamagedArchiveError(_UNREADABLE)
        state = torch.load(path, map_location="cpu", weights_only=True)
        _check_tensors(state)
    if not isinstance(state, dict) or not all(isinstance(state.get(name), kind) for name, kind in kinds.items()):
        raise ArchiveError("lacks what a checkpoint has")
    return state


def _check_tensors(state: Any) -> None:
    """Refuses tensors that claim more numbers than the file holds, as one of a single row that is there a million times."""
    left, seen = [state], set[int]()
    while left:
        value = left.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            left += value.values()
        elif isinstance(value, (list, tuple)):
            left += value
        elif isinstance(value, torch.Tensor):
            held = value.untyped_storage().nbytes() if value.layout is torch.strided and value.device.type == "cpu" else -1
            if value.numel() * value.itemsize > held:
                raise ArchiveError("has tensors that are larger than the file")


@contextmanager
def _opened(path: Path) -> Iterator[ZipFile]:
    """An archive that is no larger than its file; whatever goes wrong in reading it is one error."""
    try:
        if path.exists() and not path.is_file():  # a pipe never ends
            raise DamagedArchiveError(_UNREADABLE)
        with ZipFile(path) as archive:
            entries = archive.infolist()
            if any(entry.compress_type != ZIP_STORED for entry in entries):
                raise ArchiveError("is compressed, as no file of imle is")
            if sum(entry.file_size for entry in entries) > path.stat().st_size:
                raise DamagedArchiveError(_UNREADABLE)
            yield archive
    except (ArchiveError, FileNotFoundError):
        raise
    except (
        Exception
    ) as error:  # zipfile, NumPy and torch have no common error for the many ways in which a file can be broken
        raise DamagedArchiveError(_UNREADABLE) from error


def _shapes(path: Path, archive: ZipFile, kinds: Mapping[str, str]) -> list[Shape]:
    return [_shape(path, archive, name, np.dtype(kind)) for name, kind in kinds.items()]


def _shape(path: Path, archive: ZipFile, name: str, kind: np.dtype[Any]) -> Shape:
    entry = archive.getinfo(f"{name}.npy")
    with archive.open(entry) as file:
        shape, _, dtype = read_header(path, file)
        if not np.can_cast(dtype, kind, "equiv") or file.tell() + prod(shape) * kind.itemsize != entry.file_size:
            raise DamagedArchiveError(_UNREADABLE)
    return shape


def _array(archive: ZipFile, name: str) -> NDArray[Any]:
    with archive.open(f"{name}.npy") as file:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        return array
