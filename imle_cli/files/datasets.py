"""Data sets of maps with images: three arrays a split, in files as the published Warcraft set has them."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imle_cli.files.arrays import check_numbers, open_array
from imle_cli.files.outputs import replacing
from imle_cli.files.sources import SourceError
from imle_core.perception import TILE, TOLERANCE, ImageMaps, path_costs

SPLITS = ("train", "val", "test")
_IMAGES, _COSTS, _PATHS = "maps", "vertex_weights", "shortest_paths"
_FILE = re.compile(rf"({'|'.join(SPLITS)})_({_IMAGES}|{_COSTS}|{_PATHS})(?:_part(\d+))?\.npy")

Array = NDArray[Any]


def splits_in(folder: Path) -> list[str]:
    """The splits of which the folder has any file, in the order of ``SPLITS``."""
    present = {match[1] for path in folder.iterdir() if (match := _FILE.fullmatch(path.name))}
    return [split for split in SPLITS if split in present]


def file_names(split: str) -> list[str]:
    """Names of a split's files, in the order in which they are written."""
    return [f"{split}_{kind}.npy" for kind in (_COSTS, _PATHS, _IMAGES)]


def write_maps(folder: Path, split: str, maps: ImageMaps) -> None:
    """Writes a split in place of the one that is there; images come last, so without them the others are half a set.

    ``<split>_maps.npy`` ``(N, 8H, 8W, 3)`` uint8, ``<split>_vertex_weights.npy`` ``(N, H, W)`` float32 and
    ``<split>_shortest_paths.npy`` ``(N, H, W)`` uint8.
    """
    (folder / f"{split}_{_IMAGES}.npy").unlink(missing_ok=True)
    arrays = (maps.costs, maps.paths.to(torch.uint8), maps.images)
    for name, array in zip(file_names(split), arrays, strict=True):
        with replacing(folder / name) as file:
            np.save(file, array.numpy())


def read_maps(folder: Path, split: str) -> ImageMaps:
    """A split of a data set: images, costs and gold paths.

    A file may also be there in pieces, ``train_maps_part0.npy``, ``train_maps_part1.npy`` and so on; the whole file goes
    before them. Costs in float16 are rounded to one decimal, which is what the published set's were before. Gold paths are
    taken as they are; :func:`non_optimal` counts those that are none.

    Args:
        folder: where the files are.
        split: "train", "val" or "test".

    Raises:
        SourceError: a file that is missing or no such array, or files that do not fit each other.
    """
    images, costs, paths = ([_opened(path) for path in files] for files in _files(folder, split))
    for piece in images:
        _check_images(*piece)
    for piece in (*costs, *paths):
        _check_tiles(*piece)
    _check_agreement(images, costs, paths)
    return ImageMaps(
        torch.from_numpy(_joined(images)), torch.from_numpy(_read_costs(costs)), torch.from_numpy(_read_paths(paths))
    )


def non_optimal(maps: ImageMaps) -> int:
    """Number of gold paths that do not cost what a cheapest path costs: more, or less than any path does."""
    excess = path_costs(maps.paths, maps.costs) - maps.optimum
    return int((excess.abs() > TOLERANCE * maps.optimum).sum())


def _files(folder: Path, split: str) -> list[list[Path]]:
    """Files of images, costs and paths, each whole or in pieces."""
    if not folder.is_dir():
        problem = "is a file" if folder.exists() else "no such folder"
        raise SourceError(folder, f"{problem}; give the folder of a data set's .npy files")
    splits = splits_in(folder)
    if not splits:
        remedy = "there must be files such as train_maps.npy; make them with: imle data terrain"
        raise SourceError(folder, f"holds no data set; {remedy}")
    if split not in splits:
        raise SourceError(folder, f"has no {split} split; there is {' and '.join(splits)}; add {split}_{_IMAGES}.npy etc.")
    by_kind = {kind: _pieces(folder, split, kind) for kind in (_IMAGES, _COSTS, _PATHS)}
    missing = [f"{split}_{kind}.npy" for kind, files in by_kind.items() if not files]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        there = next(files[0].name for files in by_kind.values() if files)
        raise SourceError(
            folder, f"half a data set: {' and '.join(missing)} {verb} missing beside {there}; copy or make all three again"
        )
    return list(by_kind.values())


def _pieces(folder: Path, split: str, kind: str) -> list[Path]:
    whole = folder / f"{split}_{kind}.npy"
    if whole.exists():
        return [whole]
    matches = ((path, _FILE.fullmatch(path.name)) for path in folder.iterdir())
    pieces = {int(match[3]): path for path, match in matches if match and (match[1], match[2]) == (split, kind)}
    gap = next((number for number in range(len(pieces)) if number not in pieces), None)
    if gap is not None:
        name = f"{split}_{kind}_part{gap}.npy"
        raise SourceError(
            folder, f"{name} is missing beside {pieces[max(pieces)].name}; pieces count from 0; copy all of them"
        )
    return [pieces[number] for number in range(len(pieces))]


def _opened(path: Path) -> tuple[Path, Array]:
    """An array of which so far no more than the header was read."""
    rule = "they must be real numbers; save them as such"
    return path, open_array(path, lambda dtype, _: check_numbers(path, dtype, rule), "array")


def _check_images(path: Path, array: Array) -> None:
    shape = array.shape
    if array.ndim == 4 and shape[1] == 3 and shape[3] != 3:
        raise SourceError(path, f"has shape {shape}, channels first; move them last with numpy.moveaxis(array, 1, 3)")
    if array.ndim != 4 or shape[3] != 3 or 0 in shape or shape[1] % TILE or shape[2] % TILE:
        raise SourceError(
            path, f"has shape {shape}; images are (N, {TILE}H, {TILE}W, 3), {TILE} pixels a tile; cut or scale them so"
        )
    if array.dtype != np.uint8:
        raise SourceError(path, f"holds {array.dtype}; images are uint8 from 0 to 255; scale and convert them")


def _check_tiles(path: Path, array: Array) -> None:
    if array.ndim != 3 or 0 in array.shape:
        raise SourceError(path, f"has shape {array.shape}; it must be (N, H, W), a number a tile; save it so")


def _check_agreement(*kinds: list[tuple[Path, Array]]) -> None:
    """Numbers of maps and of tiles must be the same in all arrays."""
    sizes = []
    for pieces in kinds:
        unit = TILE if pieces[0][1].ndim == 4 else 1
        sizes += [(path, (array.shape[1] // unit, array.shape[2] // unit)) for path, array in pieces]
    first, size = sizes[0]
    for path, tiles in sizes[1:]:
        if tiles != size:
            got = f"has {tiles[0]} x {tiles[1]} tiles a map, but {first.name} has {size[0]} x {size[1]}"
            raise SourceError(path, f"{got}; all files of a split must be of the same maps; copy them again")
    counts = [sum(len(array) for _, array in pieces) for pieces in kinds]
    for pieces, count in zip(kinds[1:], counts[1:], strict=True):
        if count != counts[0]:
            name = first.name if len(kinds[0]) == 1 else f"{first.name} and its other pieces"
            got = f"has {count} maps, but {name} {'has' if len(kinds[0]) == 1 else 'have'} {counts[0]}"
            raise SourceError(pieces[0][0], f"{got}; all files of a split must be of the same maps; copy them again")


def _joined(pieces: list[tuple[Path, Array]]) -> Array:
    return np.concatenate([array for _, array in pieces])


def _read_costs(pieces: list[tuple[Path, Array]]) -> NDArray[np.float32]:
    read = []
    for path, array in pieces:
        values = np.asarray(array, dtype=np.float64)
        if array.dtype == np.float16:
            values = np.round(values, 1)
        with np.errstate(over="ignore", under="ignore"):
            costs = values.astype(np.float32)
        good = (costs > 0) & np.isfinite(costs)
        _check_all(path, array, good, "cost", "not positive and finite", "a path needs costs > 0")
        read.append(costs)
    return np.concatenate(read)


def _read_paths(pieces: list[tuple[Path, Array]]) -> NDArray[np.float32]:
    for path, array in pieces:
        rule = "a path is 1 on its tiles and 0 elsewhere"
        _check_all(path, array, (array == 0) | (array == 1), "value", "neither 0 nor 1", rule)
    return _joined(pieces).astype(np.float32)


def _check_all(path: Path, array: Array, good: NDArray[np.bool_], thing: str, fault: str, rule: str) -> None:
    """Refuses an array of which not all values are good, and says how many and the first."""
    bad = np.argwhere(~good)
    if len(bad):
        first = f"{float(array[tuple(bad[0])]):g} at map {bad[0][0]}, row {bad[0][1]}, column {bad[0][2]}"
        got = f"{len(bad)} {thing} is" if len(bad) == 1 else f"{len(bad)} {thing}s are"
        raise SourceError(path, f"{got} {fault} (first: {first}); {rule}; correct them")
