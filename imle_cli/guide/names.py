"""Every public name with its signature and docstring, as Markdown, read from the code."""

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

# Modules of ``imle`` by the packages that they are the face of, in the order of the page.
PACKAGES = {
    "imle": "imle_core",
    "imle.solvers": "imle_core.solvers",
    "imle.estimators": "imle_core.estimators",
    "imle.noise": "imle_core.noise",
    "imle.exact": "imle_core.exact",
    "imle.doctor": "imle_core.doctor",
    "imle.lab": "imle_core.lab",
    "imle.perception": "imle_core.perception",
    "imle.decisions": "imle_core.decisions",
    "imle.losses": "imle_core.losses",
    "imle.sampling": "imle_core.sampling",
    "imle.training": "imle_core.training",
    "imle.draw": "imle.draw",  # looked up by name as the reader does: nothing here depends on it
}
_ROLE = re.compile(r":\w+:`[~.]?([^`]+)`")
_SECTION = re.compile(r"^(Args|Attributes|Returns|Yields|Raises):$")


def public_names() -> str:
    """A section for each module, with a heading for each name that no earlier section has."""
    shown = set[int]()
    return "\n".join(line for name, package in PACKAGES.items() for line in _module(name, import_module(package), shown))


def _module(name: str, module: ModuleType, shown: set[int]) -> Iterator[str]:
    names = module.__all__ if hasattr(module, "__all__") else [word for word in vars(module) if _is_own(module, word)]
    members = [(word, getattr(module, word)) for word in sorted(names, key=str.lower)]
    fresh = [(word, member) for word, member in members if id(member) not in shown]
    shown.update(id(member) for _, member in fresh)
    yield f"## `{name}`\n"
    yield f"{_first_sentence(module)}\n"
    known = ", ".join(f"`{word}`" for word, member in members if (word, member) not in fresh)
    if known:
        yield f"Also here: {known}.\n"
    for word, member in fresh:
        yield from _member(f"{name}.{word}", member)


def _is_own(module: ModuleType, word: str) -> bool:
    return not word.startswith("_") and getattr(vars(module)[word], "__module__", "") == module.__name__


def _member(name: str, member: Any) -> Iterator[str]:
    yield f"### `{name}`\n"
    if inspect.isclass(member) or inspect.isroutine(member):
        yield f"```text\n{name.rpartition('.')[2]}{_signature(member)}\n```\n"
        yield from _markdown(_docstring(member))
    else:
        yield f"```text\n{member!r}\n```\n" if len(repr(member)) < 400 else f"A {type(member).__name__}.\n"
    if inspect.isclass(member):
        for word, method in inspect.getmembers(member):
            if not word.startswith("_") and inspect.isfunction(method) and method.__doc__ and word in vars(member):
                yield f"**`.{word}{_signature(method)}`**\n"
                yield from _markdown(_docstring(method))


def _signature(member: Any) -> str:
    """Arguments without types, which the docstring tells in words."""
    try:
        signature = inspect.signature(member)
    except ValueError:
        return "(...)"
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in signature.parameters.values()]
    own = [parameter for parameter in bare if parameter.name != "self"]
    return str(inspect.Signature(own))


def _docstring(member: Any) -> str:
    return inspect.cleandoc(member.__doc__ or "")


def _first_sentence(module: ModuleType) -> str:
    return "\n".join(_markdown(_docstring(module).split("\n\n")[0]))


def _markdown(docstring: str) -> Iterator[str]:
    """Google's sections as lists, examples as blocks, roles as code."""
    in_section = in_example = False
    for line in _ROLE.sub(r"`\1`", docstring).split("\n"):
        example = bool(line) and (line.startswith((">>>", "...")) or in_example)
        if example != in_example:
            yield "```pycon" if example else "```"
            in_example = example
        if section := _SECTION.match(line):
            in_section = True
            yield f"*{section[1]}*\n"
        elif example:
            yield line
        elif in_section and line.startswith("    ") and line[4] != " ":
            yield _item(line.strip())
        else:
            in_section = in_section and (not line or line.startswith(" "))
            yield line.removeprefix("    ") if in_section else line
    yield "```\n" if in_example else ""


def _item(line: str) -> str:
    name, colon, meaning = line.partition(": ")
    return f"- `{name}`: {meaning}" if colon and re.fullmatch(r"[\w*, .]+", name) else f"- {line}"
