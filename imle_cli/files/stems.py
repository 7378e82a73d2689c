"""Names that several inputs are known by, as short as lets them differ."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path


def stems(paths: Sequence[Path]) -> list[str]:
    """Names of files without their endings; of files of one name with these, or behind the names of their folders.

    The same file twice has one name.

    >>> stems([Path("a/map.png"), Path("b/map.png"), Path("hill.png")])
    ['a-map', 'b-map', 'hill']
    >>> stems([Path("map.png"), Path("map.npy")])
    ['map-png', 'map-npy']
    """
    names = {path: list(_names(path)) for path in paths}
    count = Counter(path.stem for path in names)
    chosen = {path: path.stem for path in names if count[path.stem] == 1}
    left = [path for path in names if path not in chosen]
    for path in left:
        foreign = {name for other in left if other != path for name in names[other]} | set(chosen.values())
        chosen[path] = next((name for name in names[path] if name not in foreign), names[path][-1])
    return [chosen[path] for path in paths]


def _names(path: Path) -> Iterator[str]:
    """Names of a file, each longer than the one before."""
    folders = path.absolute().parent.parts[1:]
    for depth in range(len(folders) + 1):
        before = "".join(f"{folder}-" for folder in folders[len(folders) - depth :])
        yield before + path.stem
        yield before + path.name.replace(".", "-")
