"""Functions over groups of options become commands that take the options one by one."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from imle_cli.messages import reported_errors
from imle_cli.options.checks import option_of
from imle_cli.options.parsing import as_written
from imle_cli.options.values import prepared


@dataclass(frozen=True)
class Given:
    """Names of the parameters that the command line gave, in place of their defaults."""

    names: frozenset[str]


@dataclass(frozen=True)
class Without:
    """In the annotation of a group: fields that are no options of the command and keep their defaults."""

    names: frozenset[str]

    def __init__(self, *names: str):
        object.__setattr__(self, "names", frozenset(names))


def _called(function: Callable[..., Any], arguments: dict[str, Any]) -> None:
    function(**arguments)


def command(
    function: Callable[..., Any], run: Callable[[Callable[..., Any], dict[str, Any]], None] = _called
) -> Callable[..., None]:
    """A command that takes the fields of the option groups in ``function``'s signature one by one.

    A parameter annotated :class:`Given` is filled in. Every exception becomes one line on standard error and an exit code.

    Args:
        function: the command; a parameter of a class that is no group is no option, but for ``run`` to give.
        run: calls the function with the arguments that come of the options.
    """
    signature = inspect.signature(function)
    hints = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    groups = {name: group for name, hint in hints.items() if (group := _group(hint))}
    context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    parameters = [context]
    for name, parameter in signature.parameters.items():
        if hints[name] is Given or (isinstance(hints[name], type) and name not in groups):
            continue
        if name not in groups:
            hint = prepared(name, hints[name], None)
            parameters.append(parameter.replace(annotation=hint, kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        kind, taken = groups[name]
        for field in fields(kind):
            if field.name in taken:
                hint = prepared(
                    field.name, get_type_hints(kind, include_extras=True)[field.name], getattr(kind, "panel", None)
                )
                parameters.append(
                    inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hint)
                )

    @functools.wraps(function)
    def flat(context: typer.Context, **values: Any) -> None:
        given = frozenset(name for name in values if _is_given(context, name))
        with reported_errors(bool(values.get("debug")), {option_of(name) for name in given}, as_written(context)):
            grouped = {
                name: Given(given) if group is Given else group(**{field: values.pop(field) for field in taken})
                for name, (group, taken) in groups.items()
            }
            run(function, grouped | values)

    flat.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    flat.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return flat


def _group(hint: Any) -> tuple[Any, list[str]] | None:
    """A group and those of its fields that are options; None for another annotation."""
    group, *extras = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    if not (isinstance(group, type) and is_dataclass(group)):
        return None
    left_out = {name for extra in extras if isinstance(extra, Without) for name in extra.names}
    return group, [field.name for field in fields(group) if field.name not in left_out]


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
