"""Vectors of LANES numbers for compiled kernels: load, store, add, minimum, comparisons.

A loop whose iterations depend on each other is not vectorised by the compiler. Where the same loop is to run for many
instances, their numbers are laid side by side, LANES to a position, and each operation is written once for all of them. LLVM
turns a vector into as many registers as the machine needs; the results do not depend on how wide these are.

Numbers are in contiguous arrays, or at their addresses, which spare a loop the counting of references; ``at`` counts
numbers, not vectors, and may have any alignment. It is neither checked nor counted from the end if negative, which
:func:`take` and :func:`put` spare single numbers, too.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model
from numpy.typing import DTypeLike, NDArray

from imle_core.kernels.instruction_set import vector_instructions

LANES = 32  # two registers of the widest kind: while the processor waits for one, it works on the other
SIDE = 16  # rows and columns of the squares that are transposed

_REGISTER = 32  # bytes, of AVX2, the widest kind without registers for masks
_LINE = 64  # bytes; a load that lies in two lines of the cache takes longer


def lanes_of(positions: int, dtype: DTypeLike) -> NDArray[Any]:
    """Zeros, LANES of them a position, that begin where a line of the cache does: ``(positions * LANES,)``."""
    size = positions * LANES * np.dtype(dtype).itemsize
    memory = np.zeros(size + _LINE, np.uint8)
    first = -memory.__array_interface__["data"][0] % _LINE
    return memory[first : first + size].view(dtype)


class Vector(types.Type):
    """The type of a vector of LANES numbers."""

    def __init__(self, number: types.Number) -> None:
        self.number = number
        super().__init__(f"Vector({number}, {LANES})")

    @property
    def is_float(self) -> bool:
        """True where its numbers are floating."""
        return isinstance(self.number, types.Float)


def primitive(define: Callable[..., Any]) -> Any:
    """An operation of kernels: ``define`` gives the types of its result and arguments, and what writes its LLVM code.

    To type checkers it is Any: they would take the first argument of ``define``, which numba passes, for one of the call.
    """
    return intrinsic(define)


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Vector) -> None:
        super().__init__(manager, vector, ir.VectorType(manager.lookup(vector.number).get_value_type(), LANES))


class Mask(types.Type):
    """The type of a vector of LANES truth values."""

    def __init__(self) -> None:
        super().__init__(f"Mask({LANES})")


@register_model(Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, mask: Mask) -> None:
        super().__init__(manager, mask, ir.VectorType(ir.IntType(1), LANES))


MASK = Mask()
_FLOATING = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}


@primitive
def address(_, array):
    """Address of an array's numbers, good as long as the caller of a function has the array that was given to it."""
    return types.CPointer(array.dtype)(array), lambda context, builder, signature, values: _first(
        context, builder, signature.args[0], values[0]
    )


@primitive
def load(_, array, at):
    """The numbers ``array[at : at + LANES]``."""
    return Vector(array.dtype)(array, at), _load


@primitive
def store(_, array, at, vector):
    """Writes the numbers of ``vector`` to ``array[at : at + LANES]``; whole ones keep the low bits that fit there."""
    return types.none(array, at, vector), _store


@primitive
def fill(_, number):
    """A vector of LANES equal numbers."""

    def generate(context, builder, signature, values):
        vector = ir.VectorType(values[0].type, LANES)(ir.Undefined)
        vector = builder.insert_element(vector, values[0], ir.IntType(32)(0))
        return builder.shuffle_vector(vector, vector, ir.VectorType(ir.IntType(32), LANES)([0] * LANES))

    return Vector(number)(number), generate


@primitive
def add(_, left, right):
    """Sums, of unsigned numbers modulo their range."""

    def generate(context, builder, signature, values):
        return builder.fadd(*values) if left.is_float else builder.add(*values)

    return left(left, right), generate


@primitive
def multiply(_, left, right):
    """Products of floating numbers, rounded; never joined with a sum."""
    return left(left, right), lambda context, builder, signature, values: builder.fmul(*values)


@primitive
def maximum(_, left, right):
    """The larger number in each lane, and the other one beside NaN."""
    return left(left, right), lambda context, builder, signature, values: builder.select(
        _compare(builder, ">", left, values), *values
    )


@primitive
def minimum(_, left, right):
    """The smaller number in each lane, and the other one beside NaN."""
    return left(left, right), lambda context, builder, signature, values: builder.select(
        _compare(builder, "<", left, values), *values
    )


@primitive
def less(_, left, right):
    """Mask of the lanes in which the first number is smaller than the second."""
    return MASK(left, right), lambda context, builder, signature, values: _compare(builder, "<", left, values)


@primitive
def and_(_, left, right):
    """Mask that is true where both are; or whole numbers with the bits that both have."""
    return left(left, right), lambda context, builder, signature, values: builder.and_(*values)


@primitive
def or_(_, left, right):
    """Mask that is true where either is; or whole numbers with the bits of either."""
    return left(left, right), lambda context, builder, signature, values: builder.or_(*values)


@primitive
def select(_, mask, left, right):
    """The first number where the mask is true, else the second."""
    return left(mask, left, right), lambda context, builder, signature, values: builder.select(*values)


@primitive
def convert(_, vector, kind):
    """Numbers from 0 to below 2^31 cut to ``uint32``, such whole ones made floating, or float32 made float64."""
    number, wanted = vector.number, kind.dtype
    value = ir.VectorType(ir.IntType(32) if wanted == types.uint32 else _FLOATING[wanted], LANES)

    def generate(context, builder, signature, values):
        if number == wanted:
            return values[0]
        if wanted == types.uint32:  # as signed numbers, which every processor converts in one step
            return builder.fptosi(values[0], value)
        return builder.sitofp(values[0], value) if number == types.uint32 else builder.fpext(values[0], value)

    return Vector(wanted)(vector, kind), generate


@primitive
def any_less(_, left, right):
    """True where the first number is smaller than the second in some lane.

    Whole ones are the smallest of both wherever none is; to tell so takes half the instructions that masks do, unless the
    processor has registers for masks.
    """

    def generate(context, builder, signature, values):
        if left.is_float or vector_instructions() == "AVX-512":
            among = builder.bitcast(_compare(builder, "<", left, values), ir.IntType(LANES))
            return builder.icmp_unsigned("!=", among, ir.IntType(LANES)(0))
        smaller = builder.select(_compare(builder, "<", left, values), *values)
        differing = builder.xor(smaller, values[1])
        width, bits = LANES, left.number.bitwidth
        while width * bits > 8 * _REGISTER:
            width //= 2
            halves = (ir.VectorType(ir.IntType(32), width)(list(range(first, first + width))) for first in (0, width))
            differing = builder.or_(*(builder.shuffle_vector(differing, differing, half) for half in halves))
        whole = ir.IntType(width * bits)
        return builder.icmp_unsigned("!=", builder.bitcast(differing, whole), whole(0))

    return types.boolean(left, right), generate


@primitive
def below(_, left, right):
    """The mask of :func:`less`, of whole numbers of 32 bits below 2^31, which every processor compares in one step."""
    return MASK(left, right), lambda context, builder, signature, values: builder.icmp_signed("<", *values)


@primitive
def movemask(_, mask):
    """A mask as a number from 0 to below 2^LANES; bit i stands for lane i."""

    def generate(context, builder, signature, values):
        return builder.zext(builder.bitcast(values[0], ir.IntType(LANES)), ir.IntType(64))

    return types.int64(mask), generate


@primitive
def take(_, array, at):
    """The number ``array[at]``."""
    return array.dtype(array, at), lambda context, builder, signature, values: builder.load(
        _pointer(context, builder, signature, values)
    )


@primitive
def put(_, array, at, number):
    """Writes ``array[at] = number``, in the array's type."""

    def generate(context, builder, signature, values):
        number = context.cast(builder, values[2], signature.args[2], signature.args[0].dtype)
        builder.store(number, _pointer(context, builder, signature, values))
        return context.get_dummy_value()

    return types.none(array, at, number), generate


@primitive
def fetch_add(_, array, number):
    """Adds to ``array[0]``, which other threads may change at the same time, and gives what it was."""

    def generate(context, builder, signature, values):
        return builder.atomic_rmw("add", _first(context, builder, signature.args[0], values[0]), values[1], "monotonic")

    return array.dtype(array, array.dtype), generate


@primitive
def lowered(_, labels, costs, at, number):
    """Bits i below 4 for which ``number + costs[at + i] < labels[at + i]``, of float64; never for a NaN."""

    def generate(context, builder, signature, values):
        four = ir.VectorType(ir.DoubleType(), 4)
        vector = builder.insert_element(four(ir.Undefined), values[3], ir.IntType(32)(0))
        numbers = builder.shuffle_vector(vector, vector, ir.VectorType(ir.IntType(32), 4)([0] * 4))
        labels, costs = (
            builder.load(builder.bitcast(builder.gep(array, [values[2]]), four.as_pointer()), align=8)
            for array in values[:2]
        )
        is_lower = builder.fcmp_ordered("<", builder.fadd(numbers, costs), labels)
        return builder.zext(builder.bitcast(is_lower, ir.IntType(4)), ir.IntType(64))

    return types.int64(labels, costs, types.intp, types.float64), generate


@primitive
def first_bit(_, bits):
    """Number of the lowest bit of a number other than 0."""
    return types.int64(types.int64), lambda context, builder, signature, values: builder.cttz(values[0], ir.IntType(1)(1))


@primitive
def differing(_, left, right):
    """Number of lowest bits of two numbers, float64 from 0 up, that hold all in which they differ: from 0 to 63."""

    def generate(context, builder, signature, values):
        whole = ir.IntType(64)
        among = builder.xor(*(builder.bitcast(value, whole) for value in values))
        return builder.sub(whole(64), builder.ctlz(among, ir.IntType(1)(0)))

    return types.int64(types.float64, types.float64), generate


@primitive
def transpose(_, rows, starts, lane, at, lanes):
    """Writes ``lanes[LANES * i + lane + j] = rows[starts[lane + j] + at + i]`` for all i, j below SIDE, of addresses."""

    def generate(context, builder, signature, values):
        vector = ir.VectorType(context.get_value_type(signature.args[0].dtype), SIDE)
        align = signature.args[0].dtype.bitwidth // 8
        rows, starts, lane, at, lanes = values
        vectors = []
        for number in range(SIDE):
            start = builder.load(builder.gep(starts, [builder.add(lane, ir.IntType(64)(number))]))
            pointer = builder.gep(rows, [builder.add(start, at)])
            vectors.append(builder.load(builder.bitcast(pointer, vector.as_pointer()), align=align))
        for distance in [SIDE >> shift for shift in range(1, SIDE.bit_length())]:
            _swap(builder, vectors, distance)
        for index, values in enumerate(vectors):
            pointer = builder.gep(lanes, [builder.add(lane, ir.IntType(64)(LANES * index))])
            builder.store(values, builder.bitcast(pointer, vector.as_pointer()), align=align)
        return context.get_dummy_value()

    return types.none(rows, starts, types.intp, types.intp, lanes), generate


def _swap(builder, vectors, distance):
    """Transposes the four blocks of every square of 2 x 2 blocks with sides of ``distance``."""
    indices = ir.VectorType(ir.IntType(32), SIDE)
    upper = indices([i if not i & distance else SIDE + i - distance for i in range(SIDE)])
    lower = indices([i + distance if not i & distance else SIDE + i for i in range(SIDE)])
    for i in range(SIDE):
        if not i & distance:
            left, right = vectors[i], vectors[i + distance]
            vectors[i] = builder.shuffle_vector(left, right, upper)
            vectors[i + distance] = builder.shuffle_vector(left, right, lower)


def _compare(builder, operator, vector, values):
    return builder.fcmp_ordered(operator, *values) if vector.is_float else builder.icmp_unsigned(operator, *values)


def _load(context, builder, signature, values):
    vector = context.get_value_type(signature.return_type)
    loaded = builder.load(builder.bitcast(_pointer(context, builder, signature, values), vector.as_pointer()))
    loaded.align = signature.return_type.number.bitwidth // 8
    return loaded


def _store(context, builder, signature, values):
    array, _, vector = signature.args
    pointer, written = _pointer(context, builder, signature, values), values[2]
    if array.dtype.bitwidth < vector.number.bitwidth:
        written = builder.trunc(written, ir.VectorType(pointer.type.pointee, LANES))
    builder.store(written, builder.bitcast(pointer, written.type.as_pointer())).align = array.dtype.bitwidth // 8
    return context.get_dummy_value()


def _pointer(context, builder, signature, values):
    """Pointer to the number at ``values[1]`` of what ``values[0]`` is."""
    first = _first(context, builder, signature.args[0], values[0])
    return builder.gep(first, [context.cast(builder, values[1], signature.args[1], types.intp)])


def _first(context, builder, kind, value):
    """Pointer to the first number of an array, or the address itself."""
    return value if isinstance(kind, types.CPointer) else context.make_array(kind)(context, builder, value).data
