"""What tests of the doctor share: its findings about a solver, by check."""

import pytest

from imle_core.doctor import CHECKS, check


class Findings:
    """Findings about a solver by name, and which are no pass."""

    def __init__(self, solver, shape=(6,), nb_instances=24, **settings):
        found = check(solver, shape, nb_instances=nb_instances, **settings)
        self.found = {finding.check: finding for finding in found}
        assert list(self.found) == [name for name in CHECKS if name in self.found]
        assert len(self.found) == len(found)
        self.fails, self.warns = self._with("fail"), self._with("warn")

    def _with(self, verdict):
        return [name for name, finding in self.found.items() if finding.verdict == verdict]

    def __getitem__(self, name):
        return self.found[name]


@pytest.fixture(scope="session")
def examined():
    return Findings
