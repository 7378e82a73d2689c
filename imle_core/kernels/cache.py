"""A cache of machine code on disk that heals: damaged and stale files are compiled anew, what cannot be written is left out.

numba's own cache knows the file of a function but not those of what it calls, and ends in an error where a file is cut short
or the disk is full. Here each file begins with a checksum, and says which sources, which numba and which types it is for.
"""

import hashlib
import pickle
import re
import sys
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import cache, cached_property
from importlib.util import resolve_name
from itertools import count
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache
from numba.core.registry import cpu_target
from numba.core.runtime.nrt import rtsys
from numba.core.serialize import dumps

_CHECKSUM = 32  # bytes
_IMPORT = re.compile(r"^from ([\w.]+) import (?:\(([^)]*)\)|(.*))|^import (.*)", re.MULTILINE)
_NAME = re.compile(r"[\w.]+")


class KernelCache(FunctionCache):
    """numba's cache of one function, on files of ours; it is for ``_cache`` of the function's dispatcher.

    Its folder is looked for, and tried with a file, once machine code is wanted: most kernels are called by others alone,
    whose code has theirs. A folder that cannot be written to, as in an image that others have made, will do if it has code
    of this function for this processor, to which nothing is added. Where there is no such folder, nothing is loaded or kept.

    Raises:
        OSError: a source cannot be read.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function, self._version = function, source_version(function.__module__)  # before the sources are edited

    @cached_property
    def _has_folder(self) -> bool:
        self._impl_class = _looking(self._function, self._version)
        try:
            super().__init__(self._function)
        except (RuntimeError, OSError):
            return False
        self._cache_file: Any = CodeFiles(Path(self._cache_path), self._impl.filename_base, self._version)
        return True

    @property
    def cache_path(self) -> Any:
        """The folder; None where there is none."""
        return self._cache_path if self._has_folder else None

    def holds(self, first: Any, target_context: Any) -> bool:
        """True where there is machine code for this processor and a first argument of a type, whatever the others are."""
        if not self._has_folder:
            return False
        _, *others = self._index_key((), target_context.codegen())
        return any(types[:1] == (first,) and list(rest) == others for types, *rest in self._cache_file.saved())

    def flush(self) -> None:
        """Forgets everything."""
        if self._has_folder:
            super().flush()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Machine code for these types, or None where the cache has none that can be used.

        Code that is loaded needs numba's runtime alone. All that code may be made of, half of numba and much of scipy, is
        imported once something is compiled; numba's own cache imports it first, which takes longer than to load the code.
        """
        if not self._has_folder:
            return None
        try:
            rtsys.initialize(target_context)
            return self._load_overload(sig, target_context)
        except Exception:  # any that numba meets in code of another build of itself
            self._cache_file.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keeps machine code for these types, if the disk takes it."""
        if not self._has_folder:
            return
        try:
            super().save_overload(sig, data)
        except OSError:
            self._cache_file.flush()


class CodeFiles:
    """The files of one function: an index from types to file names, and a file of machine code for each.

    Args:
        folder: where they are.
        stem: beginning of their names.
        version: of sources and numba; files of another are left aside.
    """

    def __init__(self, folder: Path, stem: str, version: str) -> None:
        self._folder, self._stem, self._version = folder, stem, version
        self._index = folder / f"{stem}.nbi"

    def load(self, key: Any) -> Any:
        """Value that was saved under ``key``, or None."""
        name = (self._read(self._index, None) or {}).get(key)
        return None if name is None else self._read(self._folder / name, key)

    def saved(self) -> list[Any]:
        """Keys under which values were saved."""
        return list(self._read(self._index, None) or ())

    def save(self, key: Any, code: Any) -> None:
        """Writes the code, then the index that leads to it."""
        names = self._read(self._index, None) or {}
        fresh = (name for number in count(1) if (name := f"{self._stem}.{number}.nbc") not in names.values())
        names[key] = names.get(key) or next(fresh)
        self._write(self._folder / names[key], key, code)
        self._write(self._index, None, names)

    def flush(self) -> None:
        """Forgets everything."""
        _remove(self._index)

    def _read(self, path: Path, key: Any) -> Any:
        """The value in a file that is whole and says that it is for this key; a file that is damaged is removed."""
        try:
            content = path.read_bytes()
        except OSError:
            return None
        if content[:_CHECKSUM] == hashlib.sha256(content[_CHECKSUM:]).digest():
            try:
                version, written_for, value = pickle.loads(content[_CHECKSUM:])
            except Exception:  # a class that it names is gone
                pass
            else:
                return value if (version, written_for) == (self._version, key) else None
        _remove(path)
        return None

    def _write(self, path: Path, key: Any, value: Any) -> None:
        content = dumps((self._version, key, value))
        draft = path.with_name(f"{path.name}.tmp.{uuid.uuid4().hex[:16]}")
        try:
            draft.write_bytes(hashlib.sha256(content).digest() + content)
            draft.replace(path)
        except BaseException:
            _remove(draft)
            raise


def _looking(function: Callable[..., Any], version: str) -> Any:
    """Files of numba of a function, in the first of its folders that can be written to or has what is needed.

    Args:
        function: whose code is in the files.
        version: that the code must have, beside that of this processor, in a folder that cannot be written to.
    """
    standard: Any = FunctionCache._impl_class

    def ensure(locator: Any, try_to_write: Callable[[Any], None]) -> None:
        try:
            try_to_write(locator)
        except OSError:
            folder = Path(locator.get_cache_path())
            name = f"{Path(function.__code__.co_filename).stem}.{function.__qualname__}".replace("<", "").replace(">", "")
            stems = [path.stem for path in folder.glob(f"{name}-*.nbi")]
            processor = cpu_target.target_context.codegen().magic_tuple()
            if not any(key[1] == processor for stem in stems for key in CodeFiles(folder, stem, version).saved()):
                raise

    def forgiving(locator: Any) -> Any:
        members = {"ensure_cache_path": lambda self: ensure(self, locator.ensure_cache_path)}
        return type(locator.__name__, (locator,), members)

    return type(standard.__name__, (standard,), {"_locator_classes": [*map(forgiving, standard._locator_classes)]})


@cache
def source_version(module: str) -> str:
    """Digest of numba's version and of the sources that ``module`` is made of: its own and, of our packages, all it imports.

    Raises:
        OSError: a source cannot be read.
    """
    ours, names = {__name__.partition(".")[0], module.partition(".")[0]}, [module]
    digest = hashlib.sha256(numba.__version__.encode())
    for name in names:
        content, imported = _source(name)
        digest.update(name.encode() + content)
        names += [dependency for dependency in imported if dependency.partition(".")[0] in ours and dependency not in names]
    return digest.hexdigest()


@cache
def _source(module: str) -> tuple[bytes, list[str]]:
    """Digest of a module's source, and the names of the modules that it imports at its top level."""
    content = Path(str(sys.modules[module].__file__)).read_bytes()
    imported: dict[str, None] = {}
    for origin, listed, line, plain in _IMPORT.findall(content.decode()):
        if plain:
            imported |= dict.fromkeys(_NAME.findall(plain))
            continue
        absolute = resolve_name(origin, sys.modules[module].__package__)
        members = (f"{absolute}.{name}" for name in _NAME.findall(listed or line))
        imported |= dict.fromkeys(member if member in sys.modules else absolute for member in members)
    return hashlib.sha256(content).digest(), [name for name in imported if name in sys.modules]


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
