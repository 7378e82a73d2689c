"""Work in a process of its own: what it sends, and whatever ends it."""

import operator
import os
import subprocess
import sys

import pytest

from imle_cli.problems.own_process import in_own_process

pytestmark = pytest.mark.process

# In a program that has imported nothing heavy, so that processes are forks; torch would cost seconds for each.
PROGRAM = """
import ctypes, os, signal, sys, threading, time
from imle_cli.problems.own_process import EndedError, in_own_process

def sends(send): send(1); print("no result"); os.write(1, b"nor this\\n"); send([2, {}])
def raises(send): send(1); raise ValueError("of its own")
def exits(send): send(1); os._exit(3)
def exits_well(send): send(1); os._exit(0)
def ends(send): send(1); sys.exit(4)
def crashes(send): send(1); signal.signal(signal.SIGSEGV, signal.SIG_DFL); ctypes.string_at(0)
def kills(send): send(1); os.kill(os.getpid(), signal.SIGKILL)
def terminates(send): send(1); os.kill(os.getpid(), signal.SIGTERM)
def interrupts(send): send(1); os.kill(os.getpid(), signal.SIGINT)
def hangs(send):
    send(1)
    if not os.fork():
        while True: time.sleep(60)
    while True: time.sleep(60)
def keeps_sending(send):
    for number in range(8): time.sleep(0.1); send(number)
def leaves_a_child(send):
    send(1)
    if not os.fork():
        while True: time.sleep(60)
    os._exit(5)
def leaves_a_thread(send): threading.Thread(target=threading.Event().wait).start(); send(1)
def reads(send): send(sys.stdin.read())
def comes_back_twice(send):
    os.fork()
    send(1)
    time.sleep(0.2)
def closes(send): os.closerange(3, 99); send(1)

assert "torch" not in sys.modules
for work in (sends, raises, exits, exits_well, ends, crashes, kills, terminates, interrupts, hangs, keeps_sending,
             leaves_a_child, leaves_a_thread, reads, comes_back_twice, closes):
    messages, outcome = [], "done"
    try:
        for message in in_own_process(work, 0.6): messages.append(message)
    except EndedError as error: outcome = str(error)
    except ValueError as error: outcome = f"ValueError: {error}"; cause = str(error.__cause__)
    print(f"{work.__name__}: {messages} {outcome}", flush=True)
print("in raises" in cause and "ValueError: of its own" in cause)
for message in in_own_process(hangs, 60):  # one that is left early is ended, too
    break
"""
OUTCOMES = """\
sends: [1, [2, {}]] done
raises: [1] ValueError: of its own
exits: [1] ended its process with exit code 3
exits_well: [1] ended its process with exit code 0
ends: [1] ended its process with exit code 4
crashes: [1] ended its process by signal 11 (SIGSEGV)
kills: [1] ended its process by signal 9 (SIGKILL)
terminates: [1] ended its process by signal 15 (SIGTERM)
interrupts: [1] ended its process by signal 2 (SIGINT)
hangs: [1] took longer than 0.6 s
keeps_sending: [0, 1, 2, 3, 4, 5, 6, 7] done
leaves_a_child: [1] ended its process with exit code 5
leaves_a_thread: [1] done
reads: [''] done
comes_back_twice: [1] done
closes: [] ended its process with exit code 1
True
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes end otherwise elsewhere")
def test_whatever_ends_it_is_told():
    call = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(call, capture_output=True, text=True, input="not for it\n", check=False)
    assert done.stdout == OUTCOMES
    assert sorted(line for line in done.stderr.splitlines() if line) == ["no result", "nor this"]
    assert done.returncode == 0


def test_a_new_process_where_forks_are_not_safe():
    """As here, where torch has threads."""
    assert list(in_own_process(operator.methodcaller("__call__", 5), 60)) == [5]
    with pytest.raises(TypeError, match=r"^'function' object is not subscriptable$"):
        list(in_own_process(operator.itemgetter(0), 60))
