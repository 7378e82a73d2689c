"""Instructions for vectors, by what a compiler says of processors."""

import os
import subprocess
import sys

import pytest

from imle_core.kernels import instruction_set
from imle_core.kernels.instruction_set import vector_instructions


@pytest.mark.parametrize(
    ("features", "name"),
    [
        ("+sse2,+avx,+avx2,+avx512f,-avx512er", "AVX-512"),
        ("+sse2,+avx,+avx2,-avx512f", "AVX2"),
        ("+sse2,+avx,-avx2", "AVX"),
        ("+sse2", "SSE2"),
        ("+neon,+fullfp16", "NEON"),
        ("+neon,+sve", "SVE"),
        ("+rvv", None),
        ("", None),
    ],
)
def test_the_widest_that_there_are(features, name):
    assert vector_instructions(features) == name


@pytest.mark.slow
@pytest.mark.process
def test_those_that_kernels_are_compiled_for():
    code = f"import runpy; print(runpy.run_path({instruction_set.__file__!r})['vector_instructions']())"  # without torch
    told = os.environ | {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "+sse2,+avx,-avx2"}
    done = subprocess.run([sys.executable, "-c", code], env=told, check=True, capture_output=True, text=True)
    assert done.stdout == "AVX\n"
