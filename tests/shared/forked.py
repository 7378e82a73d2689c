"""Tests in forks of a process that has imported everything, and whose workers, of multiprocessing or joblib, are forks too.

For tests in which workers begin anew, because some of them die. Run as a program, this file does what it is sent.
"""

import functools
import pickle
import sys
import tempfile
import warnings
from pathlib import Path

import cloudpickle

import warm


def in_fork(test):
    """The test in such a process, with the same arguments, which must be what can be sent there; it fails as that does."""

    @functools.wraps(test)
    def forked(*args, **kwargs):
        if not warm.FORKS:
            return test(*args, **kwargs)
        module = sys.modules[test.__module__]
        with tempfile.TemporaryDirectory() as folder:
            call = Path(folder, "call")
            cloudpickle.register_pickle_by_value(module)  # which that process does not find
            try:
                call.write_bytes(cloudpickle.dumps((test, args, kwargs)))
            finally:
                cloudpickle.unregister_pickle_by_value(module)
            done = warm.run(__file__, call)
        assert done.returncode == 0, done.stderr
        return None

    return forked


if __name__ == "__main__":
    warnings.simplefilter("error")  # as in all tests
    warnings.filterwarnings("ignore", ".*fork", DeprecationWarning)  # beside threads, which is how workers begin here
    test, args, kwargs = pickle.loads(Path(sys.argv[1]).read_bytes())
    test(*args, **kwargs)
