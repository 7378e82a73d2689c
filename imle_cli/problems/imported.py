"""Functions and objects of the user's modules and files, by ``MODULE:NAME`` or ``FILE.py:NAME``."""

import ast
import sys
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from imle_cli.messages import DataError, UsageError

_NEAR = 0.7  # how like a name must be to be meant
_LISTED = 6  # names that fit into a message


def imported(option: str, name: str, known: Sequence[str] = ()) -> Any:
    """The object that ``name``, ``MODULE:NAME`` or ``FILE.py:NAME``, stands for.

    The folder of the file, or the current one, is searched for modules from then on, after all others: a ``random.py``
    there takes the place of no library's.

    Args:
        option: what the message calls it.
        name: a module that is installed or in the current folder, or a file; a colon, and perhaps dotted names in it.
        known: what else it may be, for the message.

    Raises:
        UsageError: a name of another form.
        DataError: it cannot be imported.
    """
    module, colon, path = name.rpartition(":")
    if not (colon and module and path):
        instead = f", or one of {', '.join(known)}" if known else ""
        raise UsageError(f"{option}: got {name!r}; it must be module:name{instead}{_inside(name) or _meant(name, known)}")
    try:
        value: Any = _of_file(Path(module)) if _is_file(module) else _of_name(module)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):  # something that the module itself imports
            raise _failed(name, error) from error
        raise DataError(f"{name}: no module {module!r} is installed or in {Path.cwd()}{_here(module)}") from None
    except FileNotFoundError as error:
        if error.filename != module:
            raise _failed(name, error) from error
        raise DataError(f"{name}: there is no file {module}{_here(module)}") from None
    except BaseException as error:  # whatever the module of a user may raise, SystemExit included
        from imle_core.contracts import is_ctrl_c

        if is_ctrl_c(error):
            raise
        raise _failed(name, error) from error
    for attribute in path.split("."):
        if not hasattr(value, attribute):
            raise DataError(f"{name}: {_what_is_in(value, attribute, module)}")
        value = getattr(value, attribute)
    return value


def reason(error: BaseException) -> str:
    """Kind and text of an error of the user's code, in one line."""
    from imle_core.contracts import text_of

    return f"{type(error).__name__}: {text_of(error)}"


def _failed(name: str, error: BaseException) -> DataError:
    return DataError(f"{name}: cannot be imported ({reason(error)}); --debug shows where")


def _is_file(module: str) -> bool:
    return module.endswith(".py") or "/" in module or "\\" in module


def _of_name(module: str) -> ModuleType:
    _search_last(Path.cwd())
    return import_module(module)


def _of_file(path: Path) -> ModuleType:
    """The module of a file, under its own name where others would find it by that."""
    if not path.is_file():
        raise FileNotFoundError(2, "no such file", str(path))
    path = path.resolve()
    folder, names = path.parent, [path.stem]
    while (folder / "__init__.py").exists():  # in a package
        folder, names = folder.parent, [folder.name, *names]
    _search_last(folder)
    name = ".".join(names)
    if _origin(name) == path:
        return import_module(name)
    spec = spec_from_file_location(f"file of the user: {name}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is no Python file")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _origin(name: str) -> Path | None:
    """The file of the module that has this name for everybody."""
    with suppress(ImportError, ValueError, AttributeError):
        spec = find_spec(name)
        return Path(spec.origin).resolve() if spec and spec.origin else None
    return None


def _search_last(folder: Path) -> None:
    """Lets modules of a folder be found, those of the same names elsewhere first."""
    if folder.resolve() != Path(__file__).resolve().parents[1]:  # where we are imported from, perhaps by this very entry
        sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != folder.resolve()]
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _meant(name: str, names: Sequence[str]) -> str:
    near = get_close_matches(name, names, n=1, cutoff=_NEAR)
    return f"; did you mean {near[0]!r}?" if near else ""


def _inside(name: str) -> str:
    """Definitions of a file or module of the current folder, as they have to be written."""
    path = Path(name if name.endswith(".py") else f"{name}.py")
    names = []
    with suppress(OSError, SyntaxError, ValueError):
        kinds = (ast.FunctionDef, ast.ClassDef)
        names = [f"{name}:{node.name}" for node in ast.parse(path.read_bytes()).body if isinstance(node, kinds)]
    return f"; there {'are' if len(names) > 1 else 'is'} {_some(names)}" if names else ""


def _here(module: str) -> str:
    """Names that there are in place of a module or file: the nearest, or the first."""
    folder = Path(module).parent if _is_file(module) else Path.cwd()
    files = sorted(path.name for path in folder.glob("*.py"))
    near = get_close_matches(
        Path(module).name, [name for file in files for name in (file, file.removesuffix(".py"))], n=1, cutoff=_NEAR
    )
    if near:
        return f"; did you mean {folder / near[0] if _is_file(module) else near[0]}?"
    return (
        f", where there {'are' if len(files) > 1 else 'is'} {_some(files)}" if files else ", where there is no Python file"
    )


def _what_is_in(owner: Any, attribute: str, module: str) -> str:
    """Says that something lacks a name, and which it has; or that there is a file that it hides."""
    name = module if isinstance(owner, ModuleType) else getattr(owner, "__name__", type(owner).__name__)
    text = f"{name} has no {attribute!r}"
    file = Path(f"{module}.py").resolve()
    hidden = (
        isinstance(owner, ModuleType) and Path(getattr(owner, "__file__", None) or "").resolve() != file and file.exists()
    )
    if hidden and not _is_file(module):
        return f"{text}; for the file in the current folder give {module}.py:{attribute}"
    names = [name for name in vars(owner) if not name.startswith("_")] if hasattr(owner, "__dict__") else []
    own = [name for name in names if getattr(getattr(owner, name), "__module__", None) == getattr(owner, "__name__", "")]
    near = get_close_matches(attribute, names, n=1, cutoff=_NEAR)
    return f"{text}; did you mean {near[0]!r}?" if near else f"{text}; it has {_some(own or names)}"


def _some(names: Sequence[str]) -> str:
    return ", ".join([*names[:_LISTED], *["..."] * (len(names) > _LISTED)]) or "nothing"
