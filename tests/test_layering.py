"""Imports go one way: the table below has every edge between modules of ours, and who may use which library."""

import ast
from pathlib import Path

import pytest

import imle_core
import imle_core.estimators
import imle_core.exact
import imle_core.solvers

ROOT = Path(__file__).parents[1]
CORE = "imle_core"
PUBLIC = {CORE: set(imle_core.__all__), f"{CORE}.solvers": set(imle_core.solvers.__all__)}
PUBLIC[f"{CORE}.doctor"] = {"CHECKS", "Finding", "check"}
PUBLIC[f"{CORE}.calibration"] = {"REFINEMENTS", "Calibration", "Estimate", "calibrate", "closest"}
PUBLIC[f"{CORE}.alternatives"] = set(imle_core.estimators.__all__)
PUBLIC[f"{CORE}.compilation"] = {"tell"}
PUBLIC[f"{CORE}.compiled"] = {"compiled"}
PUBLIC[f"{CORE}.checks"] = {"check_name"}
PUBLIC[f"{CORE}.families"] = {"family_of"}
PUBLIC[f"{CORE}.lab"] = {"compare", "measured_again"}
PUBLIC[f"{CORE}.lab_accuracy"] = {"Accuracy"}
PUBLIC[f"{CORE}.lab_cell"] = {"Cell", "Skipped", "best_cells", "is_told_apart"}
PUBLIC[f"{CORE}.lab_estimate"] = {"IntervalEstimate", "mean_of", "positive", "ratio"}
PUBLIC[f"{CORE}.lab_measurement"] = {"LAMBDAS", "TEMPERATURES", "Instance", "Settings"}
PUBLIC[f"{CORE}.lab_problem"] = {"PROBLEMS", "LabProblem", "check_problem", "make_problem", "squared_distance"}
PUBLIC[f"{CORE}.lab_reference"] = {"Reference", "reference_gradient"}
PUBLIC[f"{CORE}.reproduction"] = {"EXPERIMENTS", "TUNING_SEED", "reproduce"}
PUBLIC[f"{CORE}.perception"] = {"TILE", "TOLERANCE", "ImageMaps", "Judgement", "Plans", "judge", "path_costs", "plan"}
PUBLIC[f"{CORE}.perception_methods"] = {"BASELINES", "SUPERVISION", "Clock", "make_method"}
PUBLIC[f"{CORE}.perception_training"] = {"PerceptionStep", "PerceptionTraining"}
PUBLIC[f"{CORE}.colour_lookup"] = {"ColourLookup", "ColourTraining"}
PUBLIC[f"{CORE}.networks"] = {"NETWORKS", "make_network"}
PUBLIC[f"{CORE}.processes"] = {"gathered", "rank", "size"}
PUBLIC[f"{CORE}.user_code"] = {"is_ctrl_c", "text_of"}
PUBLIC[f"{CORE}.step_size"] = {"steps_of_any_size"}
PUBLIC[f"{CORE}.terrain_data"] = {"terrain_maps"}
PUBLIC[f"{CORE}.worker_pool"] = {"WorkerPool"}
PUBLIC[f"{CORE}.exact"] = set(imle_core.exact.__all__)

# Leaves have empty rows. Package indices re-export and may import every module beside them.
OURS = {
    "imle_core": {
        "contracts",
        "empirical",
        "estimator",
        "layer",
        "losses",
        "marginals",
        "noise",
        "step_size",
        "target",
        "training",
    },
    "imle_core.estimators": {f"alternatives.{name}" for name in ("blackbox", "fenchel_young", "identity", "perturbed")}
    | {f"alternatives.{name}" for name in ("registry", "score_function", "simple", "straight_through")},
    "imle_core.estimators.blackbox": {"checks", "contracts", "layer"},
    "imle_core.estimators.density": {"noise"},
    "imle_core.estimators.fenchel_young": {"checks", "layer", "losses"},
    "imle_core.estimators.identity": {"checks", "layer"},
    "imle_core.estimators.perturbed": {"alternatives.density", "checks", "layer", "noise"},
    "imle_core.estimators.registry": {"checks", "contracts", "estimator", "layer", "target"}
    | {f"alternatives.{name}" for name in ("blackbox", "fenchel_young", "identity", "perturbed", "score_function")}
    | {f"alternatives.{name}" for name in ("simple", "straight_through")},
    "imle_core.estimators.score_function": {"alternatives.density", "checks", "contracts", "exact", "families", "layer"},
    "imle_core.estimators.simple": {"exact", "families", "layer"},
    "imle_core.estimators.straight_through": {"layer"},
    "imle_core.lab.calibration": {"checks", "contracts", "exact", "marginals"},
    "imle_core.checks": set(),
    "imle_core.perception.colour_lookup": {"perception", "perception_training"},
    "imle_core.kernels.notice": set(),
    "imle_core.kernels.compiled": {"compilation", "kernel_cache"},
    "imle_core.contracts": {"checks", "declarations"},
    "imle_core.contracts.declarations": set(),
    "imle_core.doctor": {
        "checks",
        "doctor_calls",
        "doctor_cost",
        "doctor_example",
        "doctor_fused",
        "doctor_memory",
        "doctor_optimum",
        "doctor_settings",
        "doctor_subject",
        "layer",
        "user_code",
    },
    "imle_core.doctor.calls": {"doctor_example", "doctor_settings", "doctor_subject", "solvers"},
    "imle_core.doctor.cost": {"doctor_example", "doctor_subject", "estimator", "step_size", "target", "user_code"},
    "imle_core.doctor.example": set(),
    "imle_core.doctor.fused": {"contracts", "declarations", "doctor_subject"},
    "imle_core.doctor.memory": {"doctor_example", "doctor_settings", "doctor_subject"},
    "imle_core.doctor.optimum": {"doctor_example", "doctor_subject"},
    "imle_core.doctor.settings": set(),
    "imle_core.doctor.subject": {"declarations", "doctor_example", "doctor_settings", "user_code"},
    "imle_core.kernels.elementary": {"compiled"},
    "imle_core.noise.goodness_of_fit": set(),
    "imle_core.sampling.grouped_samples": set(),
    "imle_core.estimators.implicit_mle": {"checks", "contracts", "declarations", "layer", "target"},
    "imle_core.exact": {f"exact.{name}" for name in ("chain", "enumeration", "family", "grid", "independent", "knapsack")}
    | {"exact.subset", "exact.tree"},
    "imle_core.exact.chain": {"exact.family", "exact.parameters"},
    "imle_core.exact.enumeration": {"exact.family", "exact.parameters"},
    "imle_core.exact.family": {"exact.parameters"},
    "imle_core.exact.grid": {"exact.family", "exact.parameters"},
    "imle_core.exact.independent": {"exact.family", "exact.parameters"},
    "imle_core.exact.knapsack": {"exact.family", "exact.parameters"},
    "imle_core.exact.parameters": set(),
    "imle_core.exact.subset": {"exact.family", "exact.parameters"},
    "imle_core.exact.tree": {"exact.family", "exact.parameters", "exact.tree_growth"},
    "imle_core.exact.tree_growth": {"exact.parameters"},
    "imle_core.exact.of_solver": {"exact", "solvers"},
    "imle_core.kernels.cache": set(),
    "imle_core.lab": {"alternatives", "lab_cell", "lab_measurement", "lab_search"},
    "imle_core.lab.accuracy": {"lab_estimate"},
    "imle_core.lab.cell": {"lab_accuracy", "lab_estimate"},
    "imle_core.lab.estimate": set(),
    "imle_core.lab.measurement": {"alternatives", "checks", "contracts", "estimator", "lab_accuracy", "lab_problem"}
    | {"lab_reference", "layer", "step_size", "target"},
    "imle_core.lab.problem": {"checks", "exact", "families", "solvers"},
    "imle_core.lab.search": {"alternatives", "contracts", "lab_accuracy", "lab_cell", "lab_measurement"},
    "imle_core.lab.reference": {"contracts", "estimator", "exact", "lab_problem", "layer", "step_size", "target"},
    "imle_core.estimators.layer": {"checks", "contracts", "declarations", "replay", "step_size", "target"},
    "imle_core.noise.location_scale": {"location_scale_kernel", "threads"},
    "imle_core.noise.kernels.location_scale": {"compiled", "elementary_kernel", "random_kernel"},
    "imle_core.concurrency.locks": set(),
    "imle_core.losses": set(),
    "imle_core.marginals": {"checks", "contracts", "grouped_samples"},
    "imle_core.perception.networks": {"checks", "perception", "processes"},
    "imle_core.noise": {"checks", "location_scale", "sum_of_gamma", "sum_of_gamma_score"},
    "imle_core.perception": {"processes", "solvers"},
    "imle_core.perception.methods": {"alternatives", "checks", "contracts", "losses", "solvers", "target"},
    "imle_core.perception.training": {"checks", "perception", "perception_methods", "processes"},
    "imle_core.concurrency.process_group": set(),
    "imle_core.kernels.random_bits": {"compiled"},
    "imle_core.estimators.replay": set(),
    "imle_core.noise.sum_of_gamma_law": {"sum_of_gamma_kernel", "threads"},
    "imle_core.noise.kernels.sum_of_gamma": {"compiled", "random_kernel"},
    "imle_core.noise.sum_of_gamma_score": {"sum_of_gamma"},
    "imle_core.concurrency.threads": set(),
    "imle_core.contracts.user_code": set(),
    "imle_core.kernels.vectors": set(),
    "imle_core.concurrency.worker_pool": set(),
    "imle_core.estimators.step_size": {"declarations"},
    "imle_core.estimators.target": {"checks"},
    "imle_core.perception.terrain": {"perception", "threads"},
    "imle_core.training": {"checks", "contracts", "estimator", "losses"},
    "imle_core.lab.reproduction": {"alternatives", "checks", "contracts", "exact", "lab_problem", "noise", "target"},
    "imle_core.solvers": {
        f"solvers.{name}" for name in ("assignment", "black_box", "integer_program", "knapsack", "ranking")
    }
    | {f"solvers.{name}" for name in ("graph_cut", "graph_matching", "graph_path", "graph_tree", "grid", "grid_acyclic")}
    | {"solvers.program_file", "solvers.top_k"},
    "imle_core.solvers.assignment": {"solvers.rows"},
    "imle_core.solvers.black_box": {f"solvers.black_box_{part}" for part in ("arguments", "executors", "memory", "task")}
    | {"checks", "declarations", "locks", "solvers.rows"},
    "imle_core.solvers.black_box.arguments": {"solvers.black_box_task"},
    "imle_core.solvers.black_box.executors": {"solvers.black_box_processes", "solvers.black_box_task"},
    "imle_core.solvers.black_box.memory": {"locks"},
    "imle_core.solvers.black_box.processes": {"solvers.black_box_task", "worker_pool"},
    "imle_core.solvers.black_box.answer": {"user_code"},
    "imle_core.solvers.black_box.task": {"solvers.black_box_answer", "user_code"},
    "imle_core.solvers.graph": {"locks", "solvers.graph_kinds", "solvers.rows", "threads"},
    "imle_core.solvers.graph.kernels.blossom": {"compiled", "solvers.graph_numbers_kernel"},
    "imle_core.solvers.graph.min_cut": {"solvers.graph", "solvers.graph_kernel", "solvers.graph_numbers", "solvers.rows"},
    "imle_core.solvers.graph.kernels.paths": {"compiled", "solvers.graph_numbers"},
    "imle_core.solvers.graph.kinds": set(),
    "imle_core.solvers.graph.matching": {"solvers.graph", "solvers.graph_matching_kernel", "solvers.graph_numbers"}
    | {"solvers.rows"},
    "imle_core.solvers.graph.kernels.matching": {"compiled", "solvers.graph_blossom_kernel", "solvers.graph_numbers"}
    | {"solvers.graph_numbers_kernel"},
    "imle_core.solvers.graph.exact_numbers": {"solvers.rows"},
    "imle_core.solvers.graph.kernels.exact_numbers": {"compiled", "solvers.graph_numbers"},
    "imle_core.solvers.graph.shortest_path": {"solvers.graph", "solvers.graph_kernel", "solvers.rows"},
    "imle_core.solvers.graph.spanning_tree": {"solvers.graph", "solvers.graph_kernel", "solvers.rows"},
    "imle_core.solvers.grid": {"checks", "compiled", "contracts", "locks", "solvers.rows"}
    | {f"solvers.grid_{name}" for name in ("compiled", "maps_kernel", "networkx", "torch", "triton")},
    "imle_core.solvers.grid.acyclic_path": {"solvers.grid_acyclic_kernel", "solvers.rows", "threads"},
    "imle_core.solvers.grid.kernels.acyclic": {"compiled"},
    "imle_core.solvers.grid.engines.compiled": {"solvers.rows", "threads", "vectors"}
    | {f"solvers.grid_{name}_kernel" for name in ("keep", "labels", "lanes", "maps", "order")}
    | {"solvers.grid_kernel"},
    "imle_core.solvers.grid.kernels.unchanged_paths": {"compiled", "solvers.grid_maps_kernel"},
    "imle_core.solvers.grid.kernels.one_map": {"compiled", "solvers.grid_labels_kernel", "solvers.grid_maps_kernel"},
    "imle_core.solvers.grid.kernels.buckets": {"compiled", "solvers.grid_maps_kernel", "vectors"},
    "imle_core.solvers.grid.kernels.lanes_costs": {"compiled", "solvers.grid_maps_kernel", "vectors"},
    "imle_core.solvers.grid.kernels.lanes": {"compiled", "vectors"}
    | {f"solvers.grid_{name}_kernel" for name in ("costs", "maps", "near_ties", "settle", "walks")},
    "imle_core.solvers.grid.kernels.lanes_near_ties": {"compiled", "vectors"}
    | {"solvers.grid_costs_kernel", "solvers.grid_maps_kernel"},
    "imle_core.solvers.grid.kernels.lanes_labels": {"compiled", "vectors"},
    "imle_core.solvers.grid.kernels.lanes_walks": {"compiled", "solvers.grid_maps_kernel", "vectors"},
    "imle_core.solvers.grid.kernels.visit_order": {"compiled", "solvers.grid_labels_kernel", "solvers.grid_maps_kernel"},
    "imle_core.solvers.grid.kernels.maps": {"compiled", "solvers.rows"},
    "imle_core.solvers.grid.engines.on_networkx": set(),
    "imle_core.solvers.grid.engines.on_torch": set(),
    "imle_core.solvers.grid.engines.on_triton": {"solvers.grid_torch"},
    "imle_core.solvers.integer_program": {"locks", "solvers.program_file", "solvers.rows"},
    "imle_core.solvers.knapsack": {"solvers.knapsack_kernel", "solvers.rows", "threads"},
    "imle_core.solvers.kernels.knapsack": {"compiled"},
    "imle_core.solvers.integer_program.linear_model": set(),
    "imle_core.solvers.integer_program.lp_format": {"solvers.linear_model"},
    "imle_core.solvers.integer_program.mps_format": {"solvers.linear_model"},
    "imle_core.solvers.integer_program.files": {f"solvers.{name}" for name in ("linear_model", "lp_format", "mps_format")},
    "imle_core.solvers.ranking": {"solvers.rows"},
    "imle_core.solvers.rows": {"checks"},
    "imle_core.solvers.top_k": {"solvers.rows", "solvers.top_k_kernel", "threads"},
    "imle_core.solvers.kernels.top_k": {"compiled"},
    "imle_cli": set(),
    "imle_cli.__main__": {"app"},
    "imle_cli.lab.advice": {"told", f"{CORE}.alternatives", f"{CORE}.lab_cell", f"{CORE}.lab_estimate"},
    "imle_cli.films.encoders": set(),
    "imle_cli.files.archives": set(),
    "imle_cli.files.arrays": {"sources"},
    "imle_cli.runs.checkpoints": set(),
    "imle_cli.files.folder_lock": set(),
    "imle_cli.options.recorded": set(),
    "imle_cli.app": {f"commands.{name}" for name in ("animate", "bench", "marginals", "noise", "sample", "solve")}
    | {"commands.calibrate", "commands.check", "commands.compare", "commands.reproduce", "commands.sweep"}
    | {"commands.data", "commands.evaluate", "commands.perceive", "commands.train", "console", "option_groups"}
    | {"plot_settings"},
    "imle_cli.benchmarks": {f"{kind}_benchmarks" for kind in ("black_box", "estimator", "path", "process")}
    | {"measurement", "plain_solvers", "scaling", CORE, f"{CORE}.solvers"},
    "imle_cli.benchmarks.black_boxes": {"measurement", "plain_solvers", CORE, f"{CORE}.solvers", f"{CORE}.step_size"},
    "imle_cli.problems.built_in_solvers": {f"{CORE}.solvers"},
    "imle_cli.figures.calibration": {"canvas"},
    "imle_cli.figures.canvas": set(),
    "imle_cli.commands": set(),
    "imle_cli.commands.animate": {
        "option_groups",
        "animation",
        "console",
        "experiment",
        "films",
        "map_problem",
        "options",
        "outputs",
    }
    | {"perception_experiment", "perception_films", "perception_runs", "run_folder", "runs", "sampling", CORE},
    "imle_cli.commands.bench": {"benchmarks", "canvas", "console", "machine", "measurement", "options", "outputs"}
    | {"rival_paths", "sampling", "scaling_figures"},
    "imle_cli.commands.calibrate": {
        "option_groups",
        "calibration_figures",
        "canvas",
        "console",
        "lab_inputs",
        "options",
        "outputs",
    }
    | {"sampling", f"{CORE}.calibration", f"{CORE}.exact"},
    "imle_cli.commands.check": {
        "option_groups",
        "built_in_solvers",
        "console",
        "examination",
        "options",
        "outputs",
        "own_process",
    },
    "imle_cli.commands.compare": {
        "option_groups",
        "advice",
        "canvas",
        "comparison",
        "comparison_figures",
        "comparison_text",
        "console",
        "lab_inputs",
        "options",
    }
    | {"outputs", "sampling", f"{CORE}.lab_measurement", f"{CORE}.lab_reference"},
    "imle_cli.commands.data": {"option_groups", "canvas", "console", "datasets", "folder_lock", "options", "outputs"}
    | {"perception_figures"}
    | {f"{CORE}.colour_lookup", f"{CORE}.perception", f"{CORE}.terrain_data"},
    "imle_cli.commands.evaluate": {
        "option_groups",
        "canvas",
        "console",
        "datasets",
        "evaluation_figures",
        "options",
        "outputs",
    }
    | {"perception_experiment", f"{CORE}.perception"},
    "imle_cli.commands.sweep_images": {"canvas", "console", "evaluation_figures", "executors", "options", "outputs"}
    | {"perception_experiment", "perception_sweep", "sweep_folder"},
    "imle_cli.commands.marginals": {
        "option_groups",
        "canvas",
        "console",
        "inputs",
        "options",
        "outputs",
        "preview",
        "problem",
        "sampling",
    }
    | {CORE},
    "imle_cli.commands.noise": {"canvas", "console", "drawn_noise", "figures", "options", "outputs", "sampling"},
    "imle_cli.commands.perceive": {
        "option_groups",
        "console",
        "options",
        "perception_advice",
        "perception_experiment",
        "process_group",
    }
    | {"perception_recorder"},
    "imle_cli.commands.reproduce": {"option_groups", "canvas", "console", "options", "outputs", "reproduction_figures"}
    | {f"{CORE}.checks", f"{CORE}.reproduction"},
    "imle_cli.commands.sample": {"option_groups", "canvas", "console", "inputs", "options", "outputs", "sampling", CORE},
    "imle_cli.commands.solve": {"option_groups", "canvas", "console", "inputs", "options", "outputs"},
    "imle_cli.commands.sweep": {
        "option_groups",
        "canvas",
        "commands.image_sweep",
        "console",
        "executors",
        "experiment",
        "figures",
    }
    | {"options", "outputs", "sweep", "sweep_folder"},
    "imle_cli.commands.train": {"option_groups", "console", "experiment", "options"},
    "imle_cli.lab.comparison": {"comparison_figures", CORE, f"{CORE}.alternatives", f"{CORE}.lab", f"{CORE}.lab_accuracy"}
    | {f"{CORE}.lab_cell", f"{CORE}.lab_estimate", f"{CORE}.lab_measurement"},
    "imle_cli.figures.comparison": {"canvas", f"{CORE}.lab_estimate"},
    "imle_cli.lab.comparison_text": {"comparison", "told", f"{CORE}.lab_cell"},
    "imle_cli.console": {"notes", f"{CORE}.compilation"},
    "imle_cli.files.datasets": {"arrays", "outputs", "sources", f"{CORE}.perception"},
    "imle_cli.files.decoding": set(),
    "imle_cli.files.graphs.dimacs": {"graph_content"},
    "imle_cli.lab.noise": {CORE},
    "imle_cli.files.graphs.edge_lists": {"graph_content", "sources"},
    "imle_cli.files.endings": set(),
    "imle_cli.runs.executors": {"options", f"{CORE}.worker_pool"},
    "imle_cli.benchmarks.estimators": {"measurement", "process_benchmarks", "terrain", CORE, f"{CORE}.solvers"},
    "imle_cli.figures.evaluation": {"canvas", "path_lines"},
    "imle_cli.problems.examination": {"built_in_solvers", "console", "imported", "own_process"}
    | {f"{CORE}.{name}" for name in ("compilation", "doctor", "solvers")},
    "imle_cli.learning.experiment": {
        "checkpoints",
        "gold",
        "map_problem",
        "options",
        "recorded_options",
        "run_folder",
        "runs",
    }
    | {"sampling", CORE},
    "imle_cli.figures": {"canvas"},
    "imle_cli.films": {"frames", "run_folder", "runs"},
    "imle_cli.films.frames": {"preview"},
    "imle_cli.files.graphs.gml": {"graph_content"},
    "imle_cli.problems.gold": {"map_problem", "sources", "terrain", f"{CORE}.solvers"},
    "imle_cli.figures.graphs": {"canvas"},
    "imle_cli.files.graphs.content": {"decoding", "sources"},
    "imle_cli.files.graphs.json_formats": {"graph_content"},
    "imle_cli.files.graphs.layout": {"graph_content", "sources"},
    "imle_cli.problems.graph": {"console", "graph_content", "graph_figures", "graph_layout", "graphs", "notes", "options"}
    | {"problem", "sampling", "sources", f"{CORE}.solvers"},
    "imle_cli.files.graphs.weights": {"graph_content", "number_formats", "sources"},
    "imle_cli.files.graphs.xml_formats": {"graph_content", "sources"},
    "imle_cli.files.graphs.reading": {
        "edge_lists",
        "gml",
        "graph_content",
        "graph_json",
        "graph_layout",
        "graph_weights",
        "graph_xml",
    }
    | {"dimacs", "matrix_market", "notes", "pajek", "sources"},
    "imle_cli.problems.imported": {"console", f"{CORE}.user_code"},
    "imle_cli.problems.reading": {"console", "endings", "graph_problem", "map_problem", "map_tables", "options", "problem"}
    | {"score_problem", "sources", "terrain"},
    "imle_cli.problems.lab": {"console", "gold", "imported", "inputs", "map_problem", "options", "problem", "sampling", CORE}
    | {f"{CORE}.{name}" for name in ("alternatives", "checks", "exact", "families", "lab_problem")},
    "imle_cli.benchmarks.machine": set(),
    "imle_cli.problems.map_ends": {"sources", f"{CORE}.solvers"},
    "imle_cli.files.maps.text_formats": {"notes", "number_formats", "sources"},
    "imle_cli.problems.map": {"console", "figures", "map_ends", "options", "problem", "sampling", "terrain"}
    | {f"{CORE}.solvers"},
    "imle_cli.files.maps.tables": {"notes", "number_formats", "separators", "sources", "table_layout"},
    "imle_cli.files.graphs.matrix_market": {"graph_content", "sources"},
    "imle_cli.benchmarks.measurement": set(),
    "imle_cli.perception.memory": set(),
    "imle_cli.notes": set(),
    "imle_cli.files.tables.number_formats": set(),
    "imle_cli.options.groups": {"console"},
    "imle_cli.options": {"console"},
    "imle_cli.files.outputs": set(),
    "imle_cli.files.graphs.pajek": {"graph_content", "sources"},
    "imle_cli.problems.own_process": set(),
    "imle_cli.benchmarks.paths": {"measurement", "plain_dijkstra_kernel", "rival_paths", "terrain", CORE, f"{CORE}.solvers"},
    "imle_cli.figures.path_lines": set(),
    "imle_cli.perception.advice": {"options", "perception_runs", f"{CORE}.alternatives"},
    "imle_cli.perception.experiment": {"console", "datasets", "options", "perception_runs", "recorded_options", "run_folder"}
    | {"sampling"}
    | {f"{CORE}.{name}" for name in ("alternatives", "checks", "colour_lookup", "networks", "perception")}
    | {f"{CORE}.perception_methods", f"{CORE}.processes"},
    "imle_cli.figures.contact_sheet": {"canvas", "path_lines"},
    "imle_cli.films.perception": {"films", "frames", "path_lines", "perception_runs", "run_folder"},
    "imle_cli.perception.recorder": {
        "checkpoints",
        "memory",
        "perception_experiment",
        "perception_runs",
        "run_folder",
        "sampling",
    }
    | {f"{CORE}.{name}" for name in ("colour_lookup", "perception", "perception_methods", "perception_training")}
    | {f"{CORE}.processes", f"{CORE}.step_size"},
    "imle_cli.runs.perception": {"archives", "outputs", "recorded_options", "run_folder", f"{CORE}.perception"},
    "imle_cli.perception.sweep": {"perception_experiment", "perception_recorder", "perception_runs", "run_folder"}
    | {"sweep_folder"},
    "imle_cli.files.maps.pictures": {"endings", "notes", "sources", "tiles"},
    "imle_cli.benchmarks.kernels.plain_dijkstra": {f"{CORE}.compiled"},
    "imle_cli.benchmarks.plain_solvers": set(),
    "imle_cli.figures.settings": set(),
    "imle_cli.figures.preview": set(),
    "imle_cli.problems.problem": set(),
    "imle_cli.benchmarks.processes": {"animation", "figures", "films", "frames", "inputs", "measurement", "preview", "runs"}
    | {"terrain", f"{CORE}.solvers"},
    "imle_cli.perception.process_group": {"options"},
    "imle_cli.figures.reproduction": {"canvas"},
    "imle_cli.benchmarks.rivals": {"measurement", f"{CORE}.solvers"},
    "imle_cli.runs.folder": {"archives", "folder_lock", "outputs", "recorded_options", "sources"},
    "imle_cli.runs": {"archives", "run_folder"},
    "imle_cli.problems.noise": {"console", "options", CORE},
    "imle_cli.benchmarks.scaling": {"measurement", "path_benchmarks", "rival_paths", f"{CORE}.solvers"},
    "imle_cli.figures.scaling": {"canvas", "measurement"},
    "imle_cli.figures.scores": {"canvas"},
    "imle_cli.problems.scores": {"console", "notes", "options", "problem", "sampling", "score_figures", "scores", "sources"}
    | {f"{CORE}.solvers"},
    "imle_cli.files.scores": {"number_formats", "sources", "table_layout"},
    "imle_cli.files.tables.separators": {"number_formats"},
    "imle_cli.files.sources": {"decoding", "endings", "notes", "number_formats", "table_layout"},
    "imle_cli.learning.sweep": {"animation", "experiment", "films", "frames", "options", "outputs", "run_folder", "runs"}
    | {"sweep_folder"},
    "imle_cli.runs.sweep": {"folder_lock", "outputs", "run_folder"},
    "imle_cli.files.tables.layout": {"number_formats", "separators"},
    "imle_cli.files.maps.terrain": {"arrays", "endings", "map_files", "map_tables", "pictures", "sources", "tiles"},
    "imle_cli.files.maps.tiles": {"sources"},
    "imle_cli.lab.told": {f"{CORE}.lab_estimate"},
}
USERS = {
    "typer": {
        f"imle_cli.commands.{name}" for name in ("animate", "calibrate", "check", "compare", "noise", "sweep", "train")
    }
    | {f"imle_cli.commands.{name}" for name in ("bench", "data", "evaluate", "image_sweep", "perceive", "reproduce")}
    | {"imle_cli.app", "imle_cli.console", "imle_cli.options.groups", "imle_cli.options"},
    "rich": {"imle_cli.console"},
    "matplotlib": {
        f"imle_cli.{name}"
        for name in ("calibration_figures", "canvas", "comparison_figures", "figures", "graph_figures", "score_figures")
    }
    | {"imle_cli.figures.evaluation", "imle_cli.figures.contact_sheet", "imle_cli.figures.reproduction"}
    | {"imle_cli.figures.settings", "imle_cli.figures.scaling"},
    "PIL": {"imle_cli.films.encoders", "imle_cli.films.frames", "imle_cli.films.perception", "imle_cli.files.maps.pictures"}
    | {"imle_cli.files.maps.terrain"},
    "imageio": {"imle_cli.films.encoders"},
    "joblib": {"imle_cli.runs.executors"}
    | {f"imle_core.solvers.black_box_{part}" for part in ("executors", "processes")}
    | {f"{CORE}.worker_pool"},
    "networkx": {
        "imle_cli.benchmarks",
        "imle_cli.files.graphs.layout",
        "imle_cli.files.graphs.reading",
        "imle_cli.benchmarks.rivals",
        "imle_core.solvers.grid.engines.on_networkx",
    },
    "llvmlite": {"imle_core.kernels.vectors"},
    "numba": {"imle_core.kernels.compiled", "imle_core.kernels.cache", "imle_core.kernels.vectors"},
    "triton": {"imle_core.solvers.grid.engines.on_triton"},
    "scipy": {"imle_cli.files.graphs.layout", "imle_cli.problems.map_ends", "imle_cli.benchmarks.rivals"}
    | {"imle_core.perception.colour_lookup", "imle_core.lab.estimate"}
    | {f"imle_core.solvers.{name}" for name in ("assignment", "integer_program", "linear_model", "program_file")},
    "click": set(),
}
LIGHT = ["imle_cli", "imle_cli.__main__", "imle_cli.app", "imle_cli.console", "imle_cli.options.groups", "imle_cli.options"]
LIGHT += ["imle_cli.figures.settings"]
LIGHT += [name for name in OURS if name.startswith("imle_cli.commands")]
HEAVY = {"torch", "numpy", "numba", "matplotlib", "PIL", "imageio", "joblib", "networkx", "scipy", CORE}


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
        ("import imle_core.noise", "imle_core.estimators.target", "imle_core.estimators.target imports imle_core.noise"),
        (
            "from imle_core import noise",
            "imle_core.estimators.target",
            "imle_core.estimators.target imports imle_core.noise",
        ),
        ("from . import noise", "imle_core.estimators.target", "imle_core.estimators.target imports imle_core.noise"),
        ("from ..noise import x", "imle_core.solvers.grid", "imle_core.solvers.grid imports imle_core.noise"),
        (
            "def f():\n    import imle_cli.console",
            "imle_core.estimators.target",
            "imle_core.estimators.target imports imle_cli.console",
        ),
        ("if TYPE_CHECKING:\n    import rich.text", "imle_cli.options", "imle_cli.options imports rich.text"),
        ("from matplotlib import pyplot", "imle_cli.commands.solve", "imle_cli.commands.solve imports matplotlib"),
        (
            "from imle_core import contracts",
            "imle_cli.problems.problem",
            "imle_cli.problems.problem imports imle_core.contracts",
        ),
        (
            "from imle_core.solvers import SOLVERS_",
            "imle_cli.problems.map",
            "imle_cli.problems.map imports imle_core.solvers.SOLVERS_, which is not public",
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
