"""Imports go one way: the table below has every edge between modules of ours, and who may use which library."""

import ast
from pathlib import Path

import pytest

import imle_core
import imle_core.solvers

ROOT = Path(__file__).parents[1]
CORE = "imle_core"
PUBLIC = {CORE: set(imle_core.__all__), f"{CORE}.solvers": set(imle_core.solvers.__all__)}
PUBLIC[f"{CORE}.doctor"] = {"CHECKS", "Finding", "check"}

# Leaves have empty rows. Package indices re-export and may import every module beside them.
OURS = {
    "imle_core": {"contracts", "estimator", "losses", "marginals", "noise", "target", "training"},
    "imle_core.compiled": set(),
    "imle_core.contracts": set(),
    "imle_core.doctor": {
        "contracts",
        "doctor_calls",
        "doctor_cost",
        "doctor_example",
        "doctor_optimum",
        "doctor_subject",
        "estimator",
    },
    "imle_core.doctor_calls": {"doctor_example", "doctor_subject"},
    "imle_core.doctor_cost": {"doctor_example", "doctor_subject", "estimator", "target"},
    "imle_core.doctor_example": set(),
    "imle_core.doctor_optimum": {"doctor_example", "doctor_subject"},
    "imle_core.doctor_subject": {"doctor_example"},
    "imle_core.estimator": {"contracts", "replay", "target"},
    "imle_core.locks": set(),
    "imle_core.losses": set(),
    "imle_core.marginals": {"contracts"},
    "imle_core.noise": {"sum_of_gamma"},
    "imle_core.replay": set(),
    "imle_core.sum_of_gamma": {"sum_of_gamma_kernel", "threads"},
    "imle_core.sum_of_gamma_kernel": {"compiled"},
    "imle_core.threads": set(),
    "imle_core.target": set(),
    "imle_core.training": {"contracts", "estimator", "losses"},
    "imle_core.solvers": {
        f"solvers.{name}" for name in ("assignment", "black_box", "integer_program", "knapsack", "ranking")
    }
    | {f"solvers.{name}" for name in ("graph_cut", "graph_matching", "graph_path", "graph_tree", "grid", "grid_acyclic")}
    | {"solvers.top_k"},
    "imle_core.solvers.assignment": {"solvers.rows"},
    "imle_core.solvers.black_box": {f"solvers.black_box_{part}" for part in ("arguments", "executors", "memory", "task")}
    | {"locks", "solvers.rows"},
    "imle_core.solvers.black_box_arguments": {"solvers.black_box_task"},
    "imle_core.solvers.black_box_executors": {"solvers.black_box_processes", "solvers.black_box_task"},
    "imle_core.solvers.black_box_memory": {"locks"},
    "imle_core.solvers.black_box_processes": {"solvers.black_box_task"},
    "imle_core.solvers.black_box_task": set(),
    "imle_core.solvers.graph": {"locks", "solvers.rows", "threads"},
    "imle_core.solvers.graph_blossom_kernel": {"compiled", "solvers.graph_numbers_kernel"},
    "imle_core.solvers.graph_cut": {"solvers.graph", "solvers.graph_kernel", "solvers.graph_numbers", "solvers.rows"},
    "imle_core.solvers.graph_kernel": {"compiled", "solvers.graph_numbers"},
    "imle_core.solvers.graph_matching": {"solvers.graph", "solvers.graph_matching_kernel", "solvers.graph_numbers"}
    | {"solvers.rows"},
    "imle_core.solvers.graph_matching_kernel": {"compiled", "solvers.graph_blossom_kernel", "solvers.graph_numbers"}
    | {"solvers.graph_numbers_kernel"},
    "imle_core.solvers.graph_numbers": {"solvers.rows"},
    "imle_core.solvers.graph_numbers_kernel": {"compiled", "solvers.graph_numbers"},
    "imle_core.solvers.graph_path": {"solvers.graph", "solvers.graph_kernel", "solvers.rows"},
    "imle_core.solvers.graph_tree": {"solvers.graph", "solvers.graph_kernel", "solvers.rows"},
    "imle_core.solvers.grid": {"locks", "solvers.grid_kernel", "solvers.grid_networkx", "solvers.rows", "threads"},
    "imle_core.solvers.grid_acyclic": {"solvers.grid_acyclic_kernel", "solvers.rows", "threads"},
    "imle_core.solvers.grid_acyclic_kernel": {"compiled"},
    "imle_core.solvers.grid_kernel": {"compiled"},
    "imle_core.solvers.grid_networkx": set(),
    "imle_core.solvers.integer_program": {"locks", "solvers.program_file"},
    "imle_core.solvers.knapsack": {"solvers.knapsack_kernel", "solvers.rows", "threads"},
    "imle_core.solvers.knapsack_kernel": {"compiled"},
    "imle_core.solvers.program_file": set(),
    "imle_core.solvers.ranking": set(),
    "imle_core.solvers.rows": set(),
    "imle_core.solvers.top_k": {"solvers.top_k_kernel", "threads"},
    "imle_core.solvers.top_k_kernel": {"compiled"},
    "imle_cli": set(),
    "imle_cli.__main__": {"app"},
    "imle_cli.animation": set(),
    "imle_cli.app": {f"commands.{name}" for name in ("animate", "bench", "marginals", "noise", "sample", "solve")}
    | {"commands.check", "commands.sweep", "commands.train", "options"},
    "imle_cli.benchmarks": {
        "animation",
        "black_box_benchmarks",
        "figures",
        "films",
        "frames",
        "inputs",
        "measurement",
        "plain_solvers",
        "preview",
        "runs",
        "terrain",
    }
    | {CORE, f"{CORE}.solvers"},
    "imle_cli.black_box_benchmarks": {"measurement", "plain_solvers", CORE, f"{CORE}.solvers"},
    "imle_cli.built_in_solvers": {f"{CORE}.solvers"},
    "imle_cli.canvas": set(),
    "imle_cli.commands": set(),
    "imle_cli.commands.animate": {"animation", "console", "experiment", "films", "frames", "map_problem", "options"}
    | {"outputs", "runs", "sampling", CORE},
    "imle_cli.commands.bench": {"benchmarks", "console", "measurement", "options", "sampling"},
    "imle_cli.commands.check": {"built_in_solvers", "console", "options", "outputs", f"{CORE}.doctor", f"{CORE}.solvers"},
    "imle_cli.commands.marginals": {"canvas", "console", "inputs", "options", "outputs", "preview", "problem", "sampling"}
    | {CORE},
    "imle_cli.commands.noise": {"canvas", "console", "drawn_noise", "figures", "options", "outputs", "sampling"},
    "imle_cli.commands.sample": {"canvas", "console", "inputs", "options", "outputs", "sampling", CORE},
    "imle_cli.commands.solve": {"canvas", "console", "inputs", "options", "outputs"},
    "imle_cli.commands.sweep": {"canvas", "console", "executors", "experiment", "figures", "options", "outputs", "sweep"},
    "imle_cli.commands.train": {"console", "experiment", "options"},
    "imle_cli.console": set(),
    "imle_cli.drawn_noise": {CORE},
    "imle_cli.executors": {"options"},
    "imle_cli.experiment": {"gold", "map_problem", "options", "runs", "sampling", CORE},
    "imle_cli.figures": {"canvas"},
    "imle_cli.films": {"frames", "runs"},
    "imle_cli.frames": {"preview"},
    "imle_cli.gold": {"map_problem", "terrain", f"{CORE}.solvers"},
    "imle_cli.graph_figures": {"canvas"},
    "imle_cli.graph_problem": {"console", "graph_figures", "graphs", "options", "problem", "sampling", "sources"}
    | {f"{CORE}.solvers"},
    "imle_cli.graphs": {"sources"},
    "imle_cli.inputs": {"console", "graph_problem", "graphs", "map_problem", "options", "problem", "score_problem"},
    "imle_cli.map_problem": {"console", "figures", "options", "problem", "sampling", "terrain", f"{CORE}.solvers"},
    "imle_cli.measurement": set(),
    "imle_cli.options": {"console"},
    "imle_cli.outputs": set(),
    "imle_cli.plain_solvers": set(),
    "imle_cli.preview": set(),
    "imle_cli.problem": set(),
    "imle_cli.runs": {"outputs"},
    "imle_cli.sampling": {"console", "options", CORE},
    "imle_cli.score_figures": {"canvas"},
    "imle_cli.score_problem": {"console", "options", "problem", "sampling", "score_figures", "scores", "sources"}
    | {f"{CORE}.solvers"},
    "imle_cli.scores": {"sources"},
    "imle_cli.sources": set(),
    "imle_cli.sweep": {"animation", "experiment", "films", "frames", "options", "outputs", "runs"},
    "imle_cli.terrain": {"sources"},
}
USERS = {
    "typer": {f"imle_cli.commands.{name}" for name in ("animate", "check", "noise", "sweep", "train")}
    | {"imle_cli.app", "imle_cli.console", "imle_cli.options"},
    "rich": {"imle_cli.console"},
    "matplotlib": {f"imle_cli.{name}" for name in ("canvas", "figures", "graph_figures", "score_figures")},
    "PIL": {"imle_cli.animation", "imle_cli.frames", "imle_cli.terrain"},
    "imageio": {"imle_cli.animation"},
    "joblib": {"imle_cli.executors"} | {f"imle_core.solvers.black_box_{part}" for part in ("executors", "processes")},
    "networkx": {
        "imle_cli.benchmarks",
        "imle_cli.graphs",
        "imle_core.solvers.grid_networkx",
    },
    "numba": {"imle_core.compiled"},
    "scipy": {"imle_cli.benchmarks", "imle_cli.graphs"}
    | {f"imle_core.solvers.{name}" for name in ("assignment", "integer_program", "program_file")},
    "highspy": {"imle_core.solvers.program_file"},
    "click": set(),
}
LIGHT = ["imle_cli", "imle_cli.__main__", "imle_cli.app", "imle_cli.options", "imle_cli.console"]
LIGHT += [name for name in OURS if name.startswith("imle_cli.commands")]
HEAVY = {"torch", "numpy", "numba", "matplotlib", "PIL", "imageio", "joblib", "networkx", "scipy", "highspy", CORE}


def modules():
    """Names and files of every module of ours."""
    for package in ("imle_core", "imle_cli"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())


def imports(source, module, is_package, nodes=None):
    """Pairs (module, name or None) of what the source imports, wherever in it."""
    parent = module if is_package else module.rpartition(".")[0]
    for node in nodes or ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(parent.split(".")[: len(parent.split(".")) - node.level + 1]) if node.level else ""
            origin = ".".join(part for part in (base, node.module) if part)
            yield from ((origin, alias.name) for alias in node.names)


def ours(origin, name, known):
    """The module of ours that such an import loads, or None for another library."""
    if origin.split(".")[0] not in ("imle_core", "imle_cli"):
        return None
    whole = f"{origin}.{name}"
    return whole if whole in known else origin


def complaints(source, module, is_package=False):
    """What is wrong with the imports of a module."""
    package = module.split(".")[0]
    allowed = {target if target.split(".")[0] == CORE else f"{package}.{target}" for target in OURS[module]}
    for origin, name in imports(source, module, is_package):
        target = ours(origin, name, MODULES)
        if target is None:
            if module not in USERS.get(origin.split(".")[0], {module}):
                yield f"{module} imports {origin}"
        elif target not in allowed:
            yield f"{module} imports {target}"
        elif package == "imle_cli" and target in PUBLIC and name not in PUBLIC[target]:
            yield f"{module} imports {target}.{name}, which is not public"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_what_the_table_allows(module):
    path = MODULES[module]
    assert module in OURS, "a new module needs a row"
    assert list(complaints(path.read_text(encoding="utf-8"), module, path.name == "__init__.py")) == []


def test_every_row_is_used():
    for module, targets in OURS.items():
        path = MODULES[module]
        found = {
            ours(origin, name, MODULES)
            for origin, name in imports(path.read_text(encoding="utf-8"), module, path.name == "__init__.py")
        }
        package = module.split(".")[0]
        assert {target if target.split(".")[0] == CORE else f"{package}.{target}" for target in targets} == found - {None}


@pytest.mark.parametrize("module", LIGHT)
def test_nothing_heavy_is_imported_before_a_command_runs(module):
    path = MODULES[module]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {origin.split(".")[0] for origin, _ in imports("", module, path.name == "__init__.py", tree.body)}
    assert not found & HEAVY


@pytest.mark.parametrize(
    ("source", "module", "complaint"),
    [
        ("import imle_core.noise", "imle_core.target", "imle_core.target imports imle_core.noise"),
        ("from imle_core import noise", "imle_core.target", "imle_core.target imports imle_core.noise"),
        ("from . import noise", "imle_core.target", "imle_core.target imports imle_core.noise"),
        ("from ..noise import x", "imle_core.solvers.grid", "imle_core.solvers.grid imports imle_core.noise"),
        ("def f():\n    import imle_cli.console", "imle_core.target", "imle_core.target imports imle_cli.console"),
        ("if TYPE_CHECKING:\n    import rich.text", "imle_cli.options", "imle_cli.options imports rich.text"),
        ("from matplotlib import pyplot", "imle_cli.commands.solve", "imle_cli.commands.solve imports matplotlib"),
        (
            "from imle_core import contracts",
            "imle_cli.problem",
            "imle_cli.problem imports imle_core.contracts",
        ),
        (
            "from imle_core.solvers import SOLVERS_",
            "imle_cli.map_problem",
            "imle_cli.map_problem imports imle_core.solvers.SOLVERS_, which is not public",
        ),
    ],
)
def test_a_forbidden_import_is_seen(source, module, complaint):
    assert list(complaints(source, module)) == [complaint]


def test_no_module_has_a_name_that_names_no_subject():
    vague = {"utils", "util", "helpers", "helper", "misc", "common", "base"}
    paths = [path.relative_to(ROOT).with_suffix("") for path in (*MODULES.values(), *(ROOT / "tests").rglob("*.py"))]
    names = {part for path in paths for part in path.parts}
    assert not names & vague
