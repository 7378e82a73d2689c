"""The instructions that compiled kernels have for vectors."""

from numba.core.registry import cpu_target

_WIDEST_FIRST = {"avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX", "sse2": "SSE2", "sve": "SVE", "neon": "NEON"}


def vector_instructions(features: str | None = None) -> str | None:
    """The widest kind of vectors for which kernels are compiled; None where it has none of those that are known.

    Args:
        features: of the processor, as LLVM writes them: ``+avx2,-avx512f``. None for those that numba compiles for, which
            are fewer than the processor's where ``NUMBA_CPU_FEATURES`` says so.
    """
    if features is None:
        _, _, features = cpu_target.target_context.codegen().magic_tuple()
    present = {feature[1:] for feature in str(features).split(",") if feature.startswith("+")}
    return next((name for feature, name in _WIDEST_FIRST.items() if feature in present), None)
