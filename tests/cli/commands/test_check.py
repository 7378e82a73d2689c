"""``imle check``: solvers by name, verdicts, counter-examples, exit codes."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

import warm
from command_line import Command
from imle_cli.problems.built_in_solvers import BUILT_IN
from imle_core.doctor import CHECKS

MODULE = """
import torch
from imle_core.solvers import TopK

def good(theta):
    return TopK(2)(theta)

def bad(theta):
    return TopK(2)(-theta)

class Made:
    def __call__(self, theta):
        return good(theta)

class Needs:
    def __init__(self, k, name="top"):
        self.k, self.name = int(k), name

    def __call__(self, theta):
        return TopK(self.k)(theta)

def made(k):
    return TopK(k)

def of_one(theta):
    return theta > 0

of_one.domain = (2.0, 3.0)

def refuses(theta):
    if (theta[:, 0] > 0.9).any():
        raise KeyError("no such item")
    return good(theta)

def talks(theta):
    print("solving")
    return good(theta)

number = 3
"""


invoke = Command("check").invoke


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch):
    """Examinations take place here; a process of their own would import torch for each."""

    def in_this_process(work, silence):  # noqa: ARG001
        messages = []
        with contextlib.redirect_stdout(sys.stderr):
            work(messages.append)
        yield from messages

    monkeypatch.setattr("imle_cli.commands.check.in_own_process", in_this_process)
    monkeypatch.setattr(sys, "path", sys.path.copy())


@pytest.fixture(autouse=True)
def _few_rounds(request, monkeypatch):
    """Threads disturb one another for few rounds but in tests of our solvers: it takes most of the time."""
    if request.function is not test_our_solvers_by_name:
        monkeypatch.setattr("imle_core.doctor.cost._ROUNDS", 3)


@pytest.fixture
def module(request):
    """Name of a module of the user's in the current folder; each test has one of its own, since modules stay imported."""
    name = f"of_the_user_{abs(hash(request.node.nodeid))}"
    Path(f"{name}.py").write_text(MODULE)
    return name


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT_IN)
def test_our_solvers_by_name(name):
    if name == "portfolio":
        pytest.importorskip("clarabel")
    result = invoke(name, "--instances", "8")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["check", *CHECKS]
    verdicts = dict(line.split()[:2] for line in result.stdout.splitlines()[1:])
    assert verdicts.pop("speed") in ("pass", "warn")  # a busy machine is slow
    assert set(verdicts.values()) == {"pass"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["good", "Made"])
def test_a_function_or_class_of_the_users(module, name):
    result = invoke(f"{module}:{name}", "--shape", "6", "--json")
    assert result.exit_code == 0
    values = json.loads(result.stdout)
    assert set(values) == {"solver", "shape", "findings", "failed", "seconds"}
    assert [set(finding) for finding in values["findings"]] == [{"check", "verdict", "detail"}] * len(CHECKS)
    assert (values["shape"], values["failed"]) == ([6], 0)


@pytest.mark.slow
def test_one_that_fails_and_its_counter_example(module):
    result = invoke(f"{module}:bad", "--shape", "6", "--save", "example.npz")
    assert result.exit_code == 1
    assert "it minimises <z, theta>" in result.stdout
    assert result.stderr == (
        "example.npz: theta, z, which show what maximiser says\n"
        f"error: {module}:bad: 1 of {len(CHECKS)} checks failed; the first is maximiser\n"
    )
    with np.load("example.npz") as arrays:
        products = arrays["theta"] @ arrays["z"].T
    assert products.shape == (2, 2)
    assert (products.diagonal() < products[[0, 1], [1, 0]]).any()


@pytest.mark.slow
def test_one_that_minimises_and_is_to(module):
    result = invoke(f"{module}:bad", "--shape", "6", "--sense", "min")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "it minimises <z, theta>: none of 4,096 other solutions of its own is better" in result.stdout


def test_an_instance_that_is_refused_is_named_and_saved(module):
    result = invoke(f"{module}:refuses", "--shape", "6", "--save", "example.npz", "--json")
    assert result.exit_code == 1
    (finding,) = json.loads(result.stdout)["findings"]
    assert finding["check"] == "call"
    assert finding["detail"].startswith("raised KeyError ('no such item') for instance ")
    with np.load("example.npz") as arrays:
        assert arrays["theta"].shape == (1, 6)
        assert arrays["theta"][0, 0] > 0.9


@pytest.mark.slow
def test_the_example_of_a_warning_is_saved_where_nothing_fails():
    result = invoke("min-cut", "--arg", "floor=None", "--instances", "16", "--save", "example.npz")
    assert result.exit_code == 0
    assert result.stderr == "example.npz: theta, which show what gradients says\n"
    with np.load("example.npz") as arrays:
        assert (arrays["theta"] > 0).any()


@pytest.mark.slow
def test_nothing_to_save(module):
    result = invoke(f"{module}:good", "--shape", "6", "--save", "example.npz")
    assert (result.exit_code, result.stderr) == (0, "example.npz: not written, since there is no counter-example\n")
    assert not Path("example.npz").exists()


@pytest.mark.slow
def test_what_a_solver_prints_is_no_result(module):
    result = invoke(f"{module}:talks", "--shape", "6", "--json")
    assert json.loads(result.stdout)["failed"] == 0
    assert set(result.stderr.replace("\n", "").split("solving")) == {""}  # several threads print at once


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "arguments"),
    [("Needs", ["k=2"]), ("Needs", ["k=2", "name=word"]), ("Needs", ["k='3'"]), ("made", ["k=2"])],
)
def test_arguments_of_a_class_or_of_what_makes_a_solver(module, name, arguments):
    given = [part for argument in arguments for part in ("--arg", argument)]
    result = invoke(f"{module}:{name}", "--shape", "6", "--instances", "8", *given)
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.slow
def test_arguments_of_ours():
    values = json.loads(invoke("top-k", "--shape", "10", "--arg", "k=4", "--instances", "8", "--json").stdout)
    assert values["shape"] == [10]
    result = invoke("spanning-tree", "--arg", "graph=[('a', 'b'), ('b', 'c'), ('a', 'c')]", "--shape", "3")
    assert (result.exit_code, result.stderr) == (0, "")
    result = invoke("dijkstra", "--shape", "3,4", "--arg", "moves=4", "--arg", "start=(1, 0)", "--instances", "8")
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.slow
def test_a_function_of_one_instance(module):
    result = invoke(f"{module}:of_one", "--shape", "4", "--per-instance", "--instances", "8", "--json")
    findings = {finding["check"]: finding for finding in json.loads(result.stdout)["findings"]}
    assert result.exit_code == 0
    assert findings["call"]["detail"] == "8 instances, theta from 2 to 3"


@pytest.mark.slow
def test_bounds_of_theta():
    result = invoke("dijkstra", "--low", "-1", "--high", "1")
    assert result.exit_code == 1
    assert "theta is outside its domain: where all theta are below 0 it solves" in result.stdout


BAD = {
    ("nothing",): (
        2,
        "MODULE:SOLVER: got 'nothing'; it must be module:name, or one of acyclic-path, argmax, assignment, dijkstra, "
        "grid-edge-path, integer-program, knapsack, matching, min-cut, path, portfolio, ranking, spanning-tree, top-k, tour",
    ),
    ("dijkstr",): (
        2,
        "MODULE:SOLVER: got 'dijkstr'; it must be module:name, or one of acyclic-path, argmax, assignment, dijkstra, "
        "grid-edge-path, integer-program, knapsack, matching, min-cut, path, portfolio, ranking, spanning-tree, top-k, "
        "tour; did you mean 'dijkstra'?",
    ),
    ("math:pi",): (1, "math:pi: got float, which cannot be called; name a function or an object like one"),
    ("top-k", "--arg", "k"): (2, "--arg: got 'k'; it must be NAME=VALUE, such as k=3"),
    ("top-k", "--arg", "k=-1"): (
        1,
        "top-k: cannot be made (ArgumentError: k: got -1; it must be a whole number >= 0; top-k chooses k entries); give "
        "its arguments with --arg NAME=VALUE",
    ),
    ("ranking", "--arg", "k=3"): (
        1,
        "ranking: cannot be made (TypeError: Ranking() takes no arguments); give its arguments with --arg NAME=VALUE",
    ),
    ("dijkstra", "--shape", "5,0"): (
        2,
        "--shape: got '5,0'; it must be whole numbers >= 1 between commas, such as 5,5",
    ),
    ("dijkstra", "--instances", "1"): (2, "--instances: got 1; it must be a whole number >= 2; the usual number is 64"),
    ("dijkstra", "--time-limit", "0"): (2, "--time-limit: got 0; it must be a number >= 0.1; 30 seconds are usual"),
    ("dijkstra", "--low", "3", "--high", "2"): (
        2,
        "--low: got 3; it must be below --high 2; leave both out for the solver's domain",
    ),
    ("dijkstra", "--high", "nan"): (2, "--high: got nan; it must be a number; leave it out for the solver's domain"),
    ("dijkstra", "--save", "none/x.npz"): (2, "--save: the folder none does not exist; make it first"),
    ("dijkstra", "--save", "x.txt"): (2, "--save: x.txt ends in .txt; it must end in .npz"),
}


@pytest.mark.parametrize("arguments", BAD, ids=" ".join)
def test_bad_options(arguments):
    Command("check").expect_refusal(arguments, *BAD[arguments])


def test_a_class_without_its_arguments(module):
    result = invoke(f"{module}:Needs")
    assert result.exit_code == 1
    assert result.stderr == (
        f"error: {module}:Needs: cannot be made (TypeError: Needs.__init__() missing 1 required positional argument: 'k'); "
        "give its arguments with --arg NAME=VALUE\n"
    )


ODD = """
import os, random, sys, threading, time
import numpy as np
import torch

BUFFER = torch.zeros(9999)

def best(theta): return torch.zeros_like(theta).scatter(-1, theta.topk(2, -1).indices, 1.0)
def exits(theta): sys.exit()
def exits_with_code(theta): raise SystemExit(3)
def interrupts(theta): raise KeyboardInterrupt
def recurses(theta): return recurses(theta)
def out_of_memory(theta): raise MemoryError
def raises(theta): raise ValueError("\\x1b[31mred\\nand " + "long " * 99)
def gives_a_value_first(theta): return 1.0, best(theta)
def gives_several(theta): return (best(theta), *range(len(theta)))
def gives_lists(theta): return best(theta).tolist()
def gives_none(theta): best(theta)
def gives_nan(theta): return best(theta) / 0
def generates(theta): yield from best(theta)
def gives_sparse(theta): return best(theta).to_sparse()
def another_shape(theta): return best(theta)[:, :2]
def another_kind(theta): return random.choice([best(theta), None])
def another_type(theta): return best(theta).to(random.choice([torch.int, torch.bool, torch.float64]))
def one_buffer(theta): return BUFFER[:theta.numel()].view(theta.shape).copy_(best(theta))
def in_place(theta): return theta.copy_(best(theta))
def draws(theta): return best(theta + torch.randn_like(theta))
def seeds(theta): torch.manual_seed(0); np.random.seed(0); return best(theta)
def minimises(theta): return best(-theta)
def changes_type(theta): z = best(theta); torch.set_default_dtype(torch.float64); return z
def changes_folder(theta): os.chdir("/"); return best(theta)
def no_gradients(theta): torch.set_grad_enabled(False); return best(theta)
def prints(theta): print("solving"); return best(theta)
def of_one(theta): return torch.tensor([1.0 if entry.item() > 0 else 0.0 for entry in theta])

@torch.inference_mode()
def inference(theta): return best(theta)

def left_inference(theta):
    guard = torch.inference_mode()
    guard.__enter__()
    left.append(guard)
    return best(theta)

left = []
calls = []

def dies(theta): os._exit(0)
def crashes(theta): os.abort()
def hangs(theta): threading.Event().wait()
def hangs_on_threads(theta):
    if threading.current_thread() is not threading.main_thread(): threading.Event().wait()
    return best(theta)
def leaves_threads(theta):
    if len(calls) < 9: threading.Thread(target=threading.Event().wait).start()
    calls.append(theta)
    return best(theta)
"""
FAILS = {
    "exits": ("call", "raised SystemExit; it must give solutions; look for what ends the program"),
    "exits_with_code": ("call", "raised SystemExit (3); it must give solutions; look for what ends the program"),
    "interrupts": ("call", "raised KeyboardInterrupt; it must give solutions; look for what ends the program"),
    "recurses": ("call", "raised RecursionError (maximum recursion depth exceeded)"),
    "out_of_memory": ("call", "raised MemoryError"),
    "raises": ("call", "raised ValueError (\\x1b[31mred and long long"),
    "gives_a_value_first": ("call", "gave (float, Tensor); it must give a tensor; put entry 2 first, the solutions"),
    "gives_several": ("outputs", "for 8 instances it gives 8 further outputs (int, int, int, int, ...), for 1 1 further"),
    "gives_lists": ("call", "gave list; it must give a tensor; use torch.as_tensor"),
    "gives_none": ("call", "gave NoneType; it must give a tensor"),
    "gives_nan": ("values", "gave NaN or infinite entries"),
    "generates": ("call", "gave generator; it must give a tensor"),
    "gives_sparse": ("call", "gave a sparse tensor; it must give a dense tensor of real numbers"),
    "another_shape": ("shape", "gave shape (8, 2) for (8, 5); it must keep the shape, N in front"),
    "another_kind": (None, "gave NoneType"),
    "draws": ("determinism", "a second call gives others"),
    "minimises": ("maximiser", "it minimises <z, theta>; give -theta, or take imle(..., sense='min')"),
    "left_inference": ("settings", "it changes inference mode (to True), after which nothing has gradients"),
    "of_one": ("call", "it takes one instance at a time: check it with --per-instance, and wrap it in BlackBox"),
}
WARNS = {
    "another_type": ("type", "imle() casts it"),
    "one_buffer": ("buffer", "it returns the same memory again"),
    "in_place": ("input", "it changes its input"),
    "seeds": ("determinism", "it seeds the global generator of torch and NumPy"),
    "changes_type": ("settings", "it changes torch's default type (to torch.float64)"),
    "changes_folder": ("settings", "it changes the current folder (to /)"),
    "no_gradients": ("settings", "it changes grad mode (to False)"),
    "inference": ("buffer", "it returns tensors of inference mode"),
    "prints": ("domain", "NaN passes unseen"),
}


def test_a_remedy_is_told_in_options(module):
    Path(f"{module}.py").write_text(
        "def costs(theta):\n    if (theta > 0).any():\n        raise ValueError('gains')\n    return theta.abs()\n"
        "def ends(theta):\n    raise ValueError('never')\n"
        "def slip(theta):\n    return theta.sorted()\n"
    )
    hints = {
        "costs": "(gains); it takes theta below 0: if that is its domain, give --low -2 --high -0.02",
        "ends": "(never); if that theta is outside its domain, give --low and --high, or a domain attribute",
        "slip": "(AttributeError); whatever theta is, so call the solver itself to see which line of it that is",
    }
    for name, hint in hints.items():
        detail = json.loads(invoke(f"{module}:{name}", "--shape", "5", "--instances", "8", "--json").stdout)["findings"][0][
            "detail"
        ]
        assert detail.replace("AttributeError ('Tensor' object has no attribute 'sorted')", "(AttributeError)").endswith(
            hint
        )


@pytest.fixture
def odd(module):
    name = f"odd_{module}"
    Path(f"{name}.py").write_text(ODD)
    return name


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FAILS, *WARNS])
def test_an_odd_solver_has_a_verdict(odd, name):
    result = invoke(f"{odd}:{name}", "--shape", "5", "--instances", "8", "--json")
    values = json.loads(result.stdout)
    verdict, (check, detail) = ("fail", FAILS[name]) if name in FAILS else ("warn", WARNS[name])
    bad = [finding for finding in values["findings"] if finding["verdict"] == verdict]
    assert any(finding["check"] in (check or CHECKS) and detail in finding["detail"] for finding in bad)
    assert (result.exit_code, values["failed"] > 0) == ((1, True) if name in FAILS else (0, False))
    assert ("checks failed; the first is" in result.stderr) == (name in FAILS)


@pytest.mark.slow
def test_one_of_one_instance_passes_as_such(odd):
    assert invoke(f"{odd}:of_one", "--shape", "5", "--instances", "8", "--per-instance").exit_code == 0


DEAD = {
    "exits": ("call", "raised SystemExit; it must give solutions"),
    "dies": ("call", "it ended its process with exit code 0; look for os._exit"),
    "crashes": ("call", "it ended its process by signal 6 (SIGABRT); look for os._exit, and for crashes of native code"),
    "hangs": (
        "call",
        "it took longer than 0.5 s; give more with --time-limit if it needs that, "
        "and --per-instance if it takes one instance at a time; what comes after it was",
    ),
    "hangs_on_threads": ("threads", "it took longer than 0.5 s; "),
}


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.skipif(os.name != "posix", reason="processes end otherwise elsewhere")
@pytest.mark.parametrize("name", DEAD)
def test_one_that_ends_its_process_or_never_comes_back(odd, name):
    """By the command itself, in which the examination has a process of its own."""
    settings = ["--shape", "5", "--instances", "4", "--time-limit", "0.5" if name.startswith("hangs") else "30", "--json"]
    done = warm.run("-m", "imle_cli", "check", f"{odd}:{name}", *settings)
    *passed, last = json.loads(done.stdout)["findings"]
    check, detail = DEAD[name]
    assert [finding["verdict"] for finding in passed].count("fail") == 0
    assert [finding["check"] for finding in passed] == [*CHECKS[: CHECKS.index(check)]]
    assert (last["check"], last["verdict"], last["detail"][: len(detail)]) == (check, "fail", detail)
    assert done.returncode == 1
    assert done.stderr == f"error: {odd}:{name}: 1 of {len(passed) + 1} checks failed; the first is {check}\n"


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.skipif(os.name != "posix", reason="signals are sent otherwise elsewhere")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_ends_the_process_of_the_examination(odd, number, code):
    Path(f"{odd}.py").write_text("import os, time\ndef waits(_):\n    print(os.getpid(), flush=True)\n    time.sleep(600)\n")
    reader, writer = os.pipe()
    with Path("printed").open("w") as printed:
        process = warm.start("-m", "imle_cli", "check", f"{odd}:waits", stdout=printed, stderr=writer)
    os.close(writer)
    with process, os.fdopen(reader) as errors:
        worker = psutil.Process(int(errors.readline()))
        process.send_signal(number)
        assert errors.read() == ("interrupted\n" if number == signal.SIGINT else "")
    assert (Path("printed").read_text(), process.returncode) == ("", code)
    assert not worker.is_running()


@pytest.mark.process
@pytest.mark.skipif(os.name != "posix", reason="processes end otherwise elsewhere")
def test_a_library_of_the_current_folder_and_threads_that_stay(odd):
    """A ``random.py`` and a ``torch.py`` beside the solver take the place of nothing."""
    for name in ("random", "torch", "numpy"):
        Path(f"{name}.py").write_text("raise SystemExit('the wrong one')\n")
    call = [sys.executable, "-m", "imle_cli", "check", f"{odd}.py:leaves_threads", "--shape", "5", "--instances", "4"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_module_that_ends_the_program():
    Path("ends_of_the_user.py").write_text("raise SystemExit(0)\n")
    result = invoke("ends_of_the_user:solver")
    assert result.exit_code == 1
    assert result.stderr == "error: ends_of_the_user:solver: cannot be imported (SystemExit: 0); --debug shows where\n"


def test_the_traceback_of_a_module_that_fails():
    Path("broken_of_the_user.py").write_text("1 / 0\n")
    result = invoke("broken_of_the_user:solver", "--debug")
    assert result.exit_code == 1
    assert 'broken_of_the_user.py", line 1' in result.stderr
    assert "ZeroDivisionError" in result.stderr
