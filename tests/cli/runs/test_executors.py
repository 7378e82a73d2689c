"""Many calls on processes or a cluster: every outcome once, workers that die, what is not installed."""

import ast
import json
import sys
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace

import pytest

import warm
from imle_cli.runs import executors
from imle_cli.runs.executors import ExecutorError, outcomes

# Built-in functions, which workers find whatever they can import.
SQUARES = [f"{number} * {number}" for number in range(7)]
DEATH = "__import__('os')._exit(9)"


def in_a_process(program):
    """What a program writes, in a process whose workers are forks of it."""
    done = warm.run("-c", f"from imle_cli.runs.executors import outcomes\n{program}", seconds=120)
    assert (done.returncode, done.stderr) == (0, "")
    return ast.literal_eval(done.stdout)


@pytest.mark.process
@pytest.mark.parametrize("jobs", [1, None])
def test_every_outcome_once(jobs):
    found = in_a_process(f"print(sorted(outcomes(eval, {SQUARES}, 'joblib', {jobs})))")
    assert found == [(number, number**2) for number in range(7)]


def test_no_tasks():
    assert list(outcomes(eval, [], "joblib", 2)) == []


@pytest.mark.parametrize(("jobs", "tasks", "begun"), [(None, 2, [2]), (None, 1, []), (9, 3, [3]), (2, 3, [2])])
def test_no_more_processes_than_tasks(jobs, tasks, begun, monkeypatch):
    sizes = []

    class Pool:
        def __init__(self, size):
            sizes.append(size)

        def submit(self, function, task):
            future = Future()
            future.set_result(function(task))
            return future

        def end(self):
            pass

    monkeypatch.setattr(executors, "cpu_count", lambda: 8)
    monkeypatch.setattr(executors, "WorkerPool", Pool)
    assert sorted(outcomes(eval, SQUARES[:tasks], "joblib", jobs)) == [(number, number**2) for number in range(tasks)]
    assert sizes == begun


@pytest.mark.process
def test_a_worker_that_dies_fails_alone():
    tasks = [*SQUARES[:3], DEATH, *SQUARES[3:]]
    told = "(number, str(result) if number == 3 else result)"
    found = dict(in_a_process(f"print([{told} for number, result in outcomes(eval, {tasks}, 'joblib', 2)])"))
    assert (found.pop(3), len(found)) == ("its worker process died, perhaps for want of memory", 7)
    assert sorted(found.values()) == [number**2 for number in range(7)]


@pytest.mark.process
def test_a_result_comes_before_the_rest_has_ended():
    tasks = ["1", "__import__('time').sleep(60)"]
    assert in_a_process(f"numbers = outcomes(eval, {tasks}, 'joblib', 2); print(next(numbers)); numbers.close()") == (0, 1)


@pytest.mark.slow
@pytest.mark.process
def test_a_cluster_of_ray_gives_the_same():
    pytest.importorskip("ray")
    code = (
        "from imle_cli.runs.executors import outcomes\n"
        "if __name__ == '__main__':\n"
        f"    print(sorted(outcomes(eval, {SQUARES}, 'ray', 2)))\n"
    )
    Path("call.py").write_text(code)
    done = warm.run("call.py", seconds=120)
    assert done.stdout == f"{[(number, number**2) for number in range(7)]}\n", done.stderr


# What a cluster of Dask that begins here gives; every address at which it listens, and what it answers there; and who gets
# to give it orders: with its keys, without keys, and with keys of his own.
CLUSTER = """
import http.client, json, psutil, sys
sys.path.append({folder!r})
import distributed
from imle_cli.runs.executors import outcomes

def answers():
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    for process in family:
        for socket in process.net_connections(kind="tcp"):
            if socket.status == psutil.CONN_LISTEN:
                yield socket.laddr.ip
                for page in ("/health", "/metrics", "/info/main/workers.html", "/"):
                    connection = http.client.HTTPConnection(*socket.laddr, timeout=3)
                    try:
                        connection.request("GET", page)
                        yield connection.getresponse().status
                    except (OSError, http.client.HTTPException):
                        pass
                    finally:
                        connection.close()

def obeyed(address, security):
    try:
        with distributed.Client(address, security=security, timeout=5, set_as_default=False) as client:
            return client.submit(eval, "6 * 7").result(timeout=30)
    except (OSError, ValueError, TypeError):
        return "refused"

if __name__ == "__main__":
    results = outcomes(eval, {squares}, "dask", 2)
    first = next(results)
    seen = sorted(set(map(str, answers())))
    owner = distributed.default_client()
    address = owner.scheduler.address
    strangers = owner.security, None, distributed.Security.temporary() if "tls" in address else None
    orders = [obeyed(address if security else address.replace("tls", "tcp"), security) for security in strangers]
    print(json.dumps([sorted([first, *results]), seen, address.partition(":")[0], orders]))
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Its results, addresses and answers, protocol, and what came of orders."""
    pytest.importorskip("dask")
    pytest.importorskip("cryptography")
    script = tmp_path_factory.mktemp("cluster") / "cluster.py"
    script.write_text(CLUSTER.format(folder=str(Path(executors.__file__).parents[2]), squares=SQUARES))
    done = warm.run(script, seconds=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.process
class TestDask:
    def test_a_cluster_here_gives_the_same(self, cluster):
        assert cluster[0] == [[number, number**2] for number in range(7)]

    def test_it_shows_nothing(self, cluster):
        assert cluster[1] in (["127.0.0.1"], ["127.0.0.1", "404"])

    def test_it_takes_orders_from_the_process_that_began_it_alone(self, cluster):
        assert cluster[2:] == ["tls", [42, "refused", "refused"]]


@pytest.mark.slow
@pytest.mark.parametrize(("keys", "asked"), [(None, "Security()"), ("there", "Security.temporary()")])
def test_keys_are_made_where_they_can_be(keys, asked, monkeypatch):
    class Security:
        made = "Security()"

        @classmethod
        def temporary(cls):
            security = cls()
            security.made = "Security.temporary()"
            return security

    def cluster(**settings):
        assert settings["security"].made == asked
        raise RuntimeError("begun")

    monkeypatch.setattr(executors, "find_spec", lambda name: keys if name == "cryptography" else "there")
    stand_in = SimpleNamespace(Security=Security, LocalCluster=cluster)
    with pytest.raises(RuntimeError, match="begun"), executors._dask(stand_in, 1):
        pass


@pytest.mark.parametrize(("executor", "module"), [("dask", "distributed"), ("ray", "ray")])
def test_what_is_not_installed(executor, module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    message = (
        rf"^--executor: {executor} is not installed; pip install 'imle\[{executor}\]', or leave it out to use this machine$"
    )
    with pytest.raises(ExecutorError, match=message):
        list(outcomes(eval, SQUARES, executor, 2))


def test_an_executor_that_cannot_start_says_why(monkeypatch):
    def fail(_):
        raise RuntimeError("no processes")

    monkeypatch.setattr(executors, "WorkerPool", fail)
    with pytest.raises(RuntimeError, match="no processes"):
        list(outcomes(eval, SQUARES, "joblib", 2))
