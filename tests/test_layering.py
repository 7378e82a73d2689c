"""Imports go one way: the table below has every edge between modules of ours, and who may use which library."""

import ast
from pathlib import Path

import pytest

import imle_core
import imle_core.alternatives
import imle_core.exact
import imle_core.solvers

ROOT = Path(__file__).parents[1]
CORE = "imle_core"
PUBLIC = {CORE: set(imle_core.__all__), f"{CORE}.solvers": set(imle_core.solvers.__all__)}
PUBLIC[f"{CORE}.doctor"] = {"CHECKS", "Finding", "check"}
PUBLIC[f"{CORE}.calibration"] = {"REFINEMENTS", "Calibration", "Estimate", "calibrate", "closest"}
PUBLIC[f"{CORE}.alternatives"] = set(imle_core.alternatives.__all__)
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
    "imle_core.alternatives": {f"alternatives.{name}" for name in ("blackbox", "fenchel_young", "identity", "perturbed")}
    | {f"alternatives.{name}" for name in ("registry", "score_function", "simple", "straight_through")},
    "imle_core.alternatives.blackbox": {"checks", "contracts", "layer"},
    "imle_core.alternatives.density": {"noise"},
    "imle_core.alternatives.fenchel_young": {"checks", "layer", "losses"},
    "imle_core.alternatives.identity": {"checks", "layer"},
    "imle_core.alternatives.perturbed": {"alternatives.density", "checks", "layer", "noise"},
    "imle_core.alternatives.registry": {"checks", "contracts", "estimator", "layer", "target"}
    | {f"alternatives.{name}" for name in ("blackbox", "fenchel_young", "identity", "perturbed", "score_function")}
    | {f"alternatives.{name}" for name in ("simple", "straight_through")},
    "imle_core.alternatives.score_function": {"alternatives.density", "checks", "contracts", "exact", "families", "layer"},
    "imle_core.alternatives.simple": {"exact", "families", "layer"},
    "imle_core.alternatives.straight_through": {"layer"},
    "imle_core.calibration": {"checks", "contracts", "exact", "marginals"},
    "imle_core.checks": set(),
    "imle_core.colour_lookup": {"perception", "perception_training"},
    "imle_core.compilation": set(),
    "imle_core.compiled": {"compilation", "kernel_cache"},
    "imle_core.contracts": {"checks", "declarations"},
    "imle_core.declarations": set(),
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
    "imle_core.doctor_calls": {"doctor_example", "doctor_settings", "doctor_subject", "solvers"},
    "imle_core.doctor_cost": {"doctor_example", "doctor_subject", "estimator", "step_size", "target", "user_code"},
    "imle_core.doctor_example": set(),
    "imle_core.doctor_fused": {"contracts", "declarations", "doctor_subject"},
    "imle_core.doctor_memory": {"doctor_example", "doctor_settings", "doctor_subject"},
    "imle_core.doctor_optimum": {"doctor_example", "doctor_subject"},
    "imle_core.doctor_settings": set(),
    "imle_core.doctor_subject": {"declarations", "doctor_example", "doctor_settings", "user_code"},
    "imle_core.elementary_kernel": {"compiled"},
    "imle_core.empirical": set(),
    "imle_core.grouped_samples": set(),
    "imle_core.estimator": {"checks", "contracts", "declarations", "layer", "target"},
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
    "imle_core.families": {"exact", "solvers"},
    "imle_core.kernel_cache": set(),
    "imle_core.lab": {"alternatives", "lab_cell", "lab_measurement", "lab_search"},
    "imle_core.lab_accuracy": {"lab_estimate"},
    "imle_core.lab_cell": {"lab_accuracy", "lab_estimate"},
    "imle_core.lab_estimate": set(),
    "imle_core.lab_measurement": {"alternatives", "checks", "contracts", "estimator", "lab_accuracy", "lab_problem"}
    | {"lab_reference", "layer", "step_size", "target"},
    "imle_core.lab_problem": {"checks", "exact", "families", "solvers"},
    "imle_core.lab_search": {"alternatives", "contracts", "lab_accuracy", "lab_cell", "lab_measurement"},
    "imle_core.lab_reference": {"contracts", "estimator", "exact", "lab_problem", "layer", "step_size", "target"},
    "imle_core.layer": {"checks", "contracts", "declarations", "replay", "step_size", "target"},
    "imle_core.location_scale": {"location_scale_kernel", "threads"},
    "imle_core.location_scale_kernel": {"compiled", "elementary_kernel", "random_kernel"},
    "imle_core.locks": set(),
    "imle_core.losses": set(),
    "imle_core.marginals": {"checks", "contracts", "grouped_samples"},
    "imle_core.networks": {"checks", "perception", "processes"},
    "imle_core.noise": {"checks", "location_scale", "sum_of_gamma", "sum_of_gamma_score"},
    "imle_core.perception": {"processes", "solvers"},
    "imle_core.perception_methods": {"alternatives", "checks", "contracts", "losses", "solvers", "target"},
    "imle_core.perception_training": {"checks", "perception", "perception_methods", "processes"},
    "imle_core.processes": set(),
    "imle_core.random_kernel": {"compiled"},
    "imle_core.replay": set(),
    "imle_core.sum_of_gamma": {"sum_of_gamma_kernel", "threads"},
    "imle_core.sum_of_gamma_kernel": {"compiled", "random_kernel"},
    "imle_core.sum_of_gamma_score": {"sum_of_gamma"},
    "imle_core.threads": set(),
    "imle_core.user_code": set(),
    "imle_core.vectors": set(),
    "imle_core.worker_pool": set(),
    "imle_core.step_size": {"declarations"},
    "imle_core.target": {"checks"},
    "imle_core.terrain_data": {"perception", "threads"},
    "imle_core.training": {"checks", "contracts", "estimator", "losses"},
    "imle_core.reproduction": {"alternatives", "checks", "contracts", "exact", "lab_problem", "noise", "target"},
    "imle_core.solvers": {
        f"solvers.{name}" for name in ("assignment", "black_box", "integer_program", "knapsack", "ranking")
    }
    | {f"solvers.{name}" for name in ("graph_cut", "graph_matching", "graph_path", "graph_tree", "grid", "grid_acyclic")}
    | {"solvers.program_file", "solvers.top_k"},
    "imle_core.solvers.assignment": {"solvers.rows"},
    "imle_core.solvers.black_box": {f"solvers.black_box_{part}" for part in ("arguments", "executors", "memory", "task")}
    | {"checks", "declarations", "locks", "solvers.rows"},
    "imle_core.solvers.black_box_arguments": {"solvers.black_box_task"},
    "imle_core.solvers.black_box_executors": {"solvers.black_box_processes", "solvers.black_box_task"},
    "imle_core.solvers.black_box_memory": {"locks"},
    "imle_core.solvers.black_box_processes": {"solvers.black_box_task", "worker_pool"},
    "imle_core.solvers.black_box_answer": {"user_code"},
    "imle_core.solvers.black_box_task": {"solvers.black_box_answer", "user_code"},
    "imle_core.solvers.graph": {"locks", "solvers.graph_kinds", "solvers.rows", "threads"},
    "imle_core.solvers.graph_blossom_kernel": {"compiled", "solvers.graph_numbers_kernel"},
    "imle_core.solvers.graph_cut": {"solvers.graph", "solvers.graph_kernel", "solvers.graph_numbers", "solvers.rows"},
    "imle_core.solvers.graph_kernel": {"compiled", "solvers.graph_numbers"},
    "imle_core.solvers.graph_kinds": set(),
    "imle_core.solvers.graph_matching": {"solvers.graph", "solvers.graph_matching_kernel", "solvers.graph_numbers"}
    | {"solvers.rows"},
    "imle_core.solvers.graph_matching_kernel": {"compiled", "solvers.graph_blossom_kernel", "solvers.graph_numbers"}
    | {"solvers.graph_numbers_kernel"},
    "imle_core.solvers.graph_numbers": {"solvers.rows"},
    "imle_core.solvers.graph_numbers_kernel": {"compiled", "solvers.graph_numbers"},
    "imle_core.solvers.graph_path": {"solvers.graph", "solvers.graph_kernel", "solvers.rows"},
    "imle_core.solvers.graph_tree": {"solvers.graph", "solvers.graph_kernel", "solvers.rows"},
    "imle_core.solvers.grid": {"checks", "compiled", "contracts", "locks", "solvers.rows"}
    | {f"solvers.grid_{name}" for name in ("compiled", "maps_kernel", "networkx", "torch", "triton")},
    "imle_core.solvers.grid_acyclic": {"solvers.grid_acyclic_kernel", "solvers.rows", "threads"},
    "imle_core.solvers.grid_acyclic_kernel": {"compiled"},
    "imle_core.solvers.grid_compiled": {"solvers.rows", "threads", "vectors"}
    | {f"solvers.grid_{name}_kernel" for name in ("keep", "labels", "lanes", "maps", "order")}
    | {"solvers.grid_kernel"},
    "imle_core.solvers.grid_keep_kernel": {"compiled", "solvers.grid_maps_kernel"},
    "imle_core.solvers.grid_kernel": {"compiled", "solvers.grid_labels_kernel", "solvers.grid_maps_kernel"},
    "imle_core.solvers.grid_labels_kernel": {"compiled", "solvers.grid_maps_kernel", "vectors"},
    "imle_core.solvers.grid_costs_kernel": {"compiled", "solvers.grid_maps_kernel", "vectors"},
    "imle_core.solvers.grid_lanes_kernel": {"compiled", "vectors"}
    | {f"solvers.grid_{name}_kernel" for name in ("costs", "maps", "near_ties", "settle", "walks")},
    "imle_core.solvers.grid_near_ties_kernel": {"compiled", "vectors"}
    | {"solvers.grid_costs_kernel", "solvers.grid_maps_kernel"},
    "imle_core.solvers.grid_settle_kernel": {"compiled", "vectors"},
    "imle_core.solvers.grid_walks_kernel": {"compiled", "solvers.grid_maps_kernel", "vectors"},
    "imle_core.solvers.grid_order_kernel": {"compiled", "solvers.grid_labels_kernel", "solvers.grid_maps_kernel"},
    "imle_core.solvers.grid_maps_kernel": {"compiled", "solvers.rows"},
    "imle_core.solvers.grid_networkx": set(),
    "imle_core.solvers.grid_torch": set(),
    "imle_core.solvers.grid_triton": {"solvers.grid_torch"},
    "imle_core.solvers.integer_program": {"locks", "solvers.program_file", "solvers.rows"},
    "imle_core.solvers.knapsack": {"solvers.knapsack_kernel", "solvers.rows", "threads"},
    "imle_core.solvers.knapsack_kernel": {"compiled"},
    "imle_core.solvers.linear_model": set(),
    "imle_core.solvers.lp_format": {"solvers.linear_model"},
    "imle_core.solvers.mps_format": {"solvers.linear_model"},
    "imle_core.solvers.program_file": {f"solvers.{name}" for name in ("linear_model", "lp_format", "mps_format")},
    "imle_core.solvers.ranking": {"solvers.rows"},
    "imle_core.solvers.rows": {"checks"},
    "imle_core.solvers.top_k": {"solvers.rows", "solvers.top_k_kernel", "threads"},
    "imle_core.solvers.top_k_kernel": {"compiled"},
    "imle_cli": set(),
    "imle_cli.__main__": {"app"},
    "imle_cli.advice": {"told", f"{CORE}.alternatives", f"{CORE}.lab_cell", f"{CORE}.lab_estimate"},
    "imle_cli.animation": set(),
    "imle_cli.archives": set(),
    "imle_cli.arrays": {"sources"},
    "imle_cli.checkpoints": set(),
    "imle_cli.folder_lock": set(),
    "imle_cli.recorded_options": set(),
    "imle_cli.app": {f"commands.{name}" for name in ("animate", "bench", "marginals", "noise", "sample", "solve")}
    | {"commands.calibrate", "commands.check", "commands.compare", "commands.reproduce", "commands.sweep"}
    | {"commands.data", "commands.evaluate", "commands.perceive", "commands.train", "console", "option_groups"}
    | {"plot_settings"},
    "imle_cli.benchmarks": {f"{kind}_benchmarks" for kind in ("black_box", "estimator", "path", "process")}
    | {"measurement", "plain_solvers", "scaling", CORE, f"{CORE}.solvers"},
    "imle_cli.black_box_benchmarks": {"measurement", "plain_solvers", CORE, f"{CORE}.solvers", f"{CORE}.step_size"},
    "imle_cli.built_in_solvers": {f"{CORE}.solvers"},
    "imle_cli.calibration_figures": {"canvas"},
    "imle_cli.canvas": set(),
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
    "imle_cli.commands.image_sweep": {"canvas", "console", "evaluation_figures", "executors", "options", "outputs"}
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
    "imle_cli.comparison": {"comparison_figures", CORE, f"{CORE}.alternatives", f"{CORE}.lab", f"{CORE}.lab_accuracy"}
    | {f"{CORE}.lab_cell", f"{CORE}.lab_estimate", f"{CORE}.lab_measurement"},
    "imle_cli.comparison_figures": {"canvas", f"{CORE}.lab_estimate"},
    "imle_cli.comparison_text": {"comparison", "told", f"{CORE}.lab_cell"},
    "imle_cli.console": {"notes", f"{CORE}.compilation"},
    "imle_cli.datasets": {"arrays", "outputs", "sources", f"{CORE}.perception"},
    "imle_cli.decoding": set(),
    "imle_cli.dimacs": {"graph_content"},
    "imle_cli.drawn_noise": {CORE},
    "imle_cli.edge_lists": {"graph_content", "sources"},
    "imle_cli.endings": set(),
    "imle_cli.executors": {"options", f"{CORE}.worker_pool"},
    "imle_cli.estimator_benchmarks": {"measurement", "process_benchmarks", "terrain", CORE, f"{CORE}.solvers"},
    "imle_cli.evaluation_figures": {"canvas", "path_lines"},
    "imle_cli.examination": {"built_in_solvers", "console", "imported", "own_process"}
    | {f"{CORE}.{name}" for name in ("compilation", "doctor", "solvers")},
    "imle_cli.experiment": {"checkpoints", "gold", "map_problem", "options", "recorded_options", "run_folder", "runs"}
    | {"sampling", CORE},
    "imle_cli.figures": {"canvas"},
    "imle_cli.films": {"frames", "run_folder", "runs"},
    "imle_cli.frames": {"preview"},
    "imle_cli.gml": {"graph_content"},
    "imle_cli.gold": {"map_problem", "sources", "terrain", f"{CORE}.solvers"},
    "imle_cli.graph_figures": {"canvas"},
    "imle_cli.graph_content": {"decoding", "sources"},
    "imle_cli.graph_json": {"graph_content"},
    "imle_cli.graph_layout": {"graph_content", "sources"},
    "imle_cli.graph_problem": {"console", "graph_content", "graph_figures", "graph_layout", "graphs", "notes", "options"}
    | {"problem", "sampling", "sources", f"{CORE}.solvers"},
    "imle_cli.graph_weights": {"graph_content", "number_formats", "sources"},
    "imle_cli.graph_xml": {"graph_content", "sources"},
    "imle_cli.graphs": {"edge_lists", "gml", "graph_content", "graph_json", "graph_layout", "graph_weights", "graph_xml"}
    | {"dimacs", "matrix_market", "notes", "pajek", "sources"},
    "imle_cli.imported": {"console", f"{CORE}.user_code"},
    "imle_cli.inputs": {"console", "endings", "graph_problem", "map_problem", "map_tables", "options", "problem"}
    | {"score_problem", "sources", "terrain"},
    "imle_cli.lab_inputs": {"console", "gold", "imported", "inputs", "map_problem", "options", "problem", "sampling", CORE}
    | {f"{CORE}.{name}" for name in ("alternatives", "checks", "exact", "families", "lab_problem")},
    "imle_cli.machine": set(),
    "imle_cli.map_ends": {"sources", f"{CORE}.solvers"},
    "imle_cli.map_files": {"notes", "number_formats", "sources"},
    "imle_cli.map_problem": {"console", "figures", "map_ends", "options", "problem", "sampling", "terrain"}
    | {f"{CORE}.solvers"},
    "imle_cli.map_tables": {"notes", "number_formats", "separators", "sources", "table_layout"},
    "imle_cli.matrix_market": {"graph_content", "sources"},
    "imle_cli.measurement": set(),
    "imle_cli.memory": set(),
    "imle_cli.notes": set(),
    "imle_cli.number_formats": set(),
    "imle_cli.option_groups": {"console"},
    "imle_cli.options": {"console"},
    "imle_cli.outputs": set(),
    "imle_cli.pajek": {"graph_content", "sources"},
    "imle_cli.own_process": set(),
    "imle_cli.path_benchmarks": {"measurement", "plain_dijkstra_kernel", "rival_paths", "terrain", CORE, f"{CORE}.solvers"},
    "imle_cli.path_lines": set(),
    "imle_cli.perception_advice": {"options", "perception_runs", f"{CORE}.alternatives"},
    "imle_cli.perception_experiment": {"console", "datasets", "options", "perception_runs", "recorded_options", "run_folder"}
    | {"sampling"}
    | {f"{CORE}.{name}" for name in ("alternatives", "checks", "colour_lookup", "networks", "perception")}
    | {f"{CORE}.perception_methods", f"{CORE}.processes"},
    "imle_cli.perception_figures": {"canvas", "path_lines"},
    "imle_cli.perception_films": {"films", "frames", "path_lines", "perception_runs", "run_folder"},
    "imle_cli.perception_recorder": {
        "checkpoints",
        "memory",
        "perception_experiment",
        "perception_runs",
        "run_folder",
        "sampling",
    }
    | {f"{CORE}.{name}" for name in ("colour_lookup", "perception", "perception_methods", "perception_training")}
    | {f"{CORE}.processes", f"{CORE}.step_size"},
    "imle_cli.perception_runs": {"archives", "outputs", "recorded_options", "run_folder", f"{CORE}.perception"},
    "imle_cli.perception_sweep": {"perception_experiment", "perception_recorder", "perception_runs", "run_folder"}
    | {"sweep_folder"},
    "imle_cli.pictures": {"endings", "notes", "sources", "tiles"},
    "imle_cli.plain_dijkstra_kernel": {f"{CORE}.compiled"},
    "imle_cli.plain_solvers": set(),
    "imle_cli.plot_settings": set(),
    "imle_cli.preview": set(),
    "imle_cli.problem": set(),
    "imle_cli.process_benchmarks": {"animation", "figures", "films", "frames", "inputs", "measurement", "preview", "runs"}
    | {"terrain", f"{CORE}.solvers"},
    "imle_cli.process_group": {"options"},
    "imle_cli.reproduction_figures": {"canvas"},
    "imle_cli.rival_paths": {"measurement", f"{CORE}.solvers"},
    "imle_cli.run_folder": {"archives", "folder_lock", "outputs", "recorded_options", "sources"},
    "imle_cli.runs": {"archives", "run_folder"},
    "imle_cli.sampling": {"console", "options", CORE},
    "imle_cli.scaling": {"measurement", "path_benchmarks", "rival_paths", f"{CORE}.solvers"},
    "imle_cli.scaling_figures": {"canvas", "measurement"},
    "imle_cli.score_figures": {"canvas"},
    "imle_cli.score_problem": {"console", "notes", "options", "problem", "sampling", "score_figures", "scores", "sources"}
    | {f"{CORE}.solvers"},
    "imle_cli.scores": {"number_formats", "sources", "table_layout"},
    "imle_cli.separators": {"number_formats"},
    "imle_cli.sources": {"decoding", "endings", "notes", "number_formats", "table_layout"},
    "imle_cli.sweep": {"animation", "experiment", "films", "frames", "options", "outputs", "run_folder", "runs"}
    | {"sweep_folder"},
    "imle_cli.sweep_folder": {"folder_lock", "outputs", "run_folder"},
    "imle_cli.table_layout": {"number_formats", "separators"},
    "imle_cli.terrain": {"arrays", "endings", "map_files", "map_tables", "pictures", "sources", "tiles"},
    "imle_cli.tiles": {"sources"},
    "imle_cli.told": {f"{CORE}.lab_estimate"},
}
USERS = {
    "typer": {
        f"imle_cli.commands.{name}" for name in ("animate", "calibrate", "check", "compare", "noise", "sweep", "train")
    }
    | {f"imle_cli.commands.{name}" for name in ("bench", "data", "evaluate", "image_sweep", "perceive", "reproduce")}
    | {"imle_cli.app", "imle_cli.console", "imle_cli.option_groups", "imle_cli.options"},
    "rich": {"imle_cli.console"},
    "matplotlib": {
        f"imle_cli.{name}"
        for name in ("calibration_figures", "canvas", "comparison_figures", "figures", "graph_figures", "score_figures")
    }
    | {"imle_cli.evaluation_figures", "imle_cli.perception_figures", "imle_cli.reproduction_figures"}
    | {"imle_cli.plot_settings", "imle_cli.scaling_figures"},
    "PIL": {"imle_cli.animation", "imle_cli.frames", "imle_cli.perception_films", "imle_cli.pictures"}
    | {"imle_cli.terrain"},
    "imageio": {"imle_cli.animation"},
    "joblib": {"imle_cli.executors"}
    | {f"imle_core.solvers.black_box_{part}" for part in ("executors", "processes")}
    | {f"{CORE}.worker_pool"},
    "networkx": {
        "imle_cli.benchmarks",
        "imle_cli.graph_layout",
        "imle_cli.graphs",
        "imle_cli.rival_paths",
        "imle_core.solvers.grid_networkx",
    },
    "llvmlite": {"imle_core.vectors"},
    "numba": {"imle_core.compiled", "imle_core.kernel_cache", "imle_core.vectors"},
    "triton": {"imle_core.solvers.grid_triton"},
    "scipy": {"imle_cli.graph_layout", "imle_cli.map_ends", "imle_cli.rival_paths"}
    | {"imle_core.colour_lookup", "imle_core.lab_estimate"}
    | {f"imle_core.solvers.{name}" for name in ("assignment", "integer_program", "linear_model", "program_file")},
    "click": set(),
}
LIGHT = ["imle_cli", "imle_cli.__main__", "imle_cli.app", "imle_cli.console", "imle_cli.option_groups", "imle_cli.options"]
LIGHT += ["imle_cli.plot_settings"]
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
