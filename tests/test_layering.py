"""Imports: what import-linter's contracts in pyproject.toml cannot say of them, and that these are kept."""

import ast
from functools import cache
from pathlib import Path

import pytest
from importlinter.api import read_configuration
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]
FACADE = ROOT / "imle_cli" / "facade"  # the source of the package imle
# Who may use which library; names of packages stand for all that is in them.
USERS = {
    "typer": ("imle_cli.app", "imle_cli.commands", "imle_cli.messages", "imle_cli.options"),
    "rich": ("imle_cli.console",),
    "matplotlib": ("imle_cli.figures",),
    "PIL": ("imle_cli.files", "imle_cli.films"),
    "imageio": ("imle_cli.films",),
    "joblib": ("imle_cli.runs", "imle_core.concurrency", "imle_core.solvers.black_box"),
    "networkx": (
        *("imle_cli.benchmarks", "imle_cli.files"),
        *("imle_core.solvers.grid.engines", "imle_core.solvers.kernel_calls"),
    ),
    "numba": ("imle_core.kernels",),
    "llvmlite": ("imle_core.kernels",),
    "clarabel": ("imle_core.solvers",),
    "triton": ("imle_core.solvers.grid",),
    "scipy": (
        *("imle_cli.benchmarks", "imle_cli.files.graphs", "imle_cli.problems"),
        *("imle_core.lab", "imle_core.perception", "imle_core.solvers"),
    ),
    "click": (),  # Typer has its own copy
}
HEAVY = {"torch", "numpy", "numba", "matplotlib", "PIL", "imageio", "joblib", "networkx", "scipy", "imle_core"}
LIGHT = ("imle_cli", "imle_cli.__main__", "imle_cli.app", "imle_cli.commands", "imle_cli.console", "imle_cli.messages")
LIGHT += ("imle_cli.figures.settings", "imle_cli.options", "imle_cli.runs.interruption")
INDICES = (
    "checks",
    "concurrency",
    "contracts",
    "decisions",
    "doctor",
    "estimators",
    "exact",
    "lab",
    "noise",
    "perception",
    "sampling",
    "solvers",
)


def name_of(path):
    parts = path.relative_to(FACADE if FACADE in path.parents else ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for package in ("imle_core", "imle_cli") for path in sorted((ROOT / package).rglob("*.py"))}


def is_in(module, packages):
    return any(f"{module}.".startswith(f"{package}.") for package in packages)


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def statements(node):
    """All statements of a module, those within others too; ``ast.walk`` goes through expressions, which import nothing."""
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        for statement in getattr(node, field, ()):
            yield statement
            yield from statements(statement)


@cache
def imports_of(path):
    return list(imports(statements(tree_of(path))))


def imports(nodes):
    """Pairs (module, name or None) of what statements import."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from ((node.module, alias.name) for alias in node.names)


def complaints(imported, module):
    """What is wrong with the imports of a module: a library that is not for it, or a file of another package's inside."""
    for origin, name in imported:
        library = origin.partition(".")[0]
        if library in USERS and not is_in(module, USERS[library]):
            yield f"{module} imports {origin}"
        package = ".".join(origin.split(".")[:2])
        if package.removeprefix("imle_core.") not in INDICES or is_in(module, [package]) or ".kernels" in origin:
            continue
        if origin != package or (f"{origin}.{name}" not in MODULES and name not in (*public(package), "*")):
            yield f"{module} imports {origin}.{name}, which {package} does not offer"


@cache
def public(package):
    """The names in ``__all__`` of a package."""
    body = tree_of(MODULES[package]).body
    return next(ast.literal_eval(node.value) for node in body if isinstance(node, ast.Assign))


@pytest.mark.slow
def test_imports_go_one_way(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert lint_imports(no_cache=True) == 0, capsys.readouterr().out


def test_an_import_that_runs_back_up_is_seen(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(ROOT)
    contract = 'name = "x"\ntype = "layers"\ncontainers = ["imle_core"]\nlayers = ["solvers", "estimators"]\n'
    Path(tmp_path / "contracts.toml").write_text(
        f'[tool.importlinter]\nroot_package = "imle_core"\n[[tool.importlinter.contracts]]\n{contract}', encoding="utf-8"
    )
    assert lint_imports(config_filename=str(tmp_path / "contracts.toml"), no_cache=True) == 1
    assert "imle_core.estimators is not allowed to import imle_core.solvers" in capsys.readouterr().out


@pytest.mark.slow
def test_a_library_is_used_where_it_belongs_and_a_package_by_its_index():
    found = [complaint for module, path in MODULES.items() for complaint in complaints(imports_of(path), module)]
    assert found == []


@pytest.mark.slow
@pytest.mark.parametrize("library", [library for library, users in USERS.items() if users])
def test_every_user_of_a_library_uses_it(library):
    users = {
        user
        for module, path in MODULES.items()
        for user in USERS[library]
        if is_in(module, [user])
        if any(origin.partition(".")[0] == library for origin, _ in imports_of(path))
    }
    assert users == set(USERS[library])


def test_nothing_heavy_is_imported_before_a_command_runs():
    light = [module for module in MODULES if is_in(module, LIGHT[2:]) or module in LIGHT]
    found = {
        (module, origin)
        for module in light
        for origin, _ in imports(tree_of(MODULES[module]).body)
        if origin.partition(".")[0] in HEAVY
    }
    assert found == set()


@pytest.mark.parametrize(
    ("source", "module", "complaint"),
    [
        ("if TYPE_CHECKING:\n    import rich.text", "imle_cli.options.report", "imle_cli.options.report imports rich.text"),
        ("def f():\n    import click", "imle_cli.app", "imle_cli.app imports click"),
        ("from matplotlib import pyplot", "imle_cli.commands.solve", "imle_cli.commands.solve imports matplotlib"),
        (
            "from imle_core.solvers import SOLVERS_",
            "imle_cli.problems.map",
            "imle_cli.problems.map imports imle_core.solvers.SOLVERS_, which imle_core.solvers does not offer",
        ),
        (
            "from imle_core.noise.distribution import Device",
            "imle_core.losses",
            "imle_core.losses imports imle_core.noise.distribution.Device, which imle_core.noise does not offer",
        ),
    ],
)
def test_a_forbidden_import_is_seen(source, module, complaint):
    assert list(complaints(imports(statements(ast.parse(source))), module)) == [complaint]


@pytest.mark.parametrize("package", ["imle_core", "imle_cli"])
def test_the_map_in_the_docstring_has_every_package_in_its_layer(package):
    lines = ast.get_docstring(tree_of(MODULES[package])).split("\n")
    begin = next(number for number, line in enumerate(lines) if line.startswith("    "))
    end = next(number for number, line in enumerate(lines) if number > begin and line and not line.startswith("    "))
    groups = "\n".join(lines[begin:end]).strip("\n").split("\n\n")
    told = [{line.split()[0] for line in group.split("\n")} for group in groups]
    contracts = read_configuration(str(ROOT / "pyproject.toml"))["contracts_options"]
    layers = next(contract["layers"] for contract in contracts if contract.get("containers") == [package])
    assert told == [set(layer.split(" | ")) for layer in layers]
    assert set().union(*told) == {name.split(".")[1] for name in MODULES if "." in name and name.startswith(f"{package}.")}


def test_no_module_has_a_name_that_names_no_subject():
    vague = {"utils", "util", "helpers", "helper", "misc", "common", "base"}
    paths = [path.relative_to(ROOT).with_suffix("") for path in (*MODULES.values(), *(ROOT / "tests").rglob("*.py"))]
    assert not {part for path in paths for part in path.parts} & vague
