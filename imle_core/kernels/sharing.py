"""Kernels that several threads run at the same time, begun by a kernel, without the interpreter.

The threads are those of GNU's OpenMP runtime, which torch has for its own operations, or the calling thread alone;
:mod:`imle_core.concurrency.team` says which. Each calls the same function, which takes pieces of work by
:func:`imle_core.kernels.vectors.fetch_add` until none is left.
"""

import sys
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from imle_core.kernels.vectors import primitive

_WORD, _INTEGER, _BYTES = ir.IntType(64), ir.IntType(32), ir.IntType(8).as_pointer()
_REGION = ir.FunctionType(ir.VoidType(), [_BYTES])
_CLOCK, _CLOCK_OF_THREAD = 1, 3  # as Linux numbers them


@primitive
def in_each_thread(typing, team, kernel, arguments):
    """Calls ``kernel(number, *arguments)`` in each thread of a team; numbers count from 0 in the order in which they come.

    ``team`` is a :class:`imle_core.concurrency.Team`, ``kernel`` a compiled function without a result, and ``arguments`` a
    tuple. Threads beyond those that are to work call nothing. An error in a kernel ends its call, and is counted.
    """
    inner = kernel.get_call_type(typing, (types.int64, *arguments), {})

    def generate(context, builder, signature, values):
        team, _, given = values
        kinds = dict(zip(signature.args[0].fields, signature.args[0], strict=True))
        fields = dict(zip(kinds, cgutils.unpack_tuple(builder, team, len(kinds)), strict=True))
        record = context.make_array(kinds["record"])(context, builder, fields["record"]).data
        shared = cgutils.pack_struct(builder, [record, fields["threads"], given])
        data = builder.bitcast(cgutils.alloca_once_value(builder, shared), _BYTES)
        region = _region(context, builder, kernel.dispatcher.get_compile_result(inner), inner, shared.type)
        began = _nanoseconds(builder, _CLOCK)
        with builder.if_else(cgutils.is_null(builder, fields["begin"])) as (alone, together):
            with alone:
                builder.call(region, [data])
            with together:
                kind = ir.FunctionType(ir.VoidType(), [region.type, _BYTES, _INTEGER, _INTEGER])
                begin = builder.inttoptr(fields["begin"], kind.as_pointer())
                builder.call(begin, [region, data, builder.trunc(fields["size"], _INTEGER), _INTEGER(0)])
        took = builder.sub(_nanoseconds(builder, _CLOCK), began)
        builder.store(took, builder.gep(record, [_WORD(3)]))
        return context.get_dummy_value()

    return types.none(team, kernel, arguments), generate


def _region(context: Any, builder: Any, compiled: Any, inner: Any, shared: Any) -> Any:
    """The function of an address that each thread of a team calls, and that calls a compiled function with what is there."""
    region = ir.Function(builder.module, _REGION, builder.module.get_unique_name("region"))
    region.linkage = "internal"
    within = ir.IRBuilder(region.append_basic_block())
    record, threads, given = cgutils.unpack_tuple(
        within, within.load(within.bitcast(region.args[0], shared.as_pointer())), len(shared)
    )
    began, number = _nanoseconds(within, _CLOCK_OF_THREAD), within.atomic_rmw("add", record, _WORD(1), "monotonic")
    context.add_linking_libs([compiled.library])
    with within.if_then(within.icmp_signed("<", number, threads)):
        values = [number, *cgutils.unpack_tuple(within, given, len(inner.args) - 1)]
        status, _ = context.call_internal_no_propagate(within, compiled.fndesc, inner, values)
        failed = within.zext(status.is_error, _WORD)
        within.atomic_rmw("add", within.gep(record, [_WORD(2)]), failed, "monotonic")
    spent = within.sub(_nanoseconds(within, _CLOCK_OF_THREAD), began)
    within.atomic_rmw("add", within.gep(record, [_WORD(1)]), spent, "monotonic")
    within.ret_void()
    return region


def _nanoseconds(builder: Any, number: int) -> Any:
    """Time of a clock of the system; 0 on systems other than Linux, where no team is begun, so that nobody asks."""
    if sys.platform != "linux":
        return _WORD(0)
    time = ir.LiteralStructType([_WORD, _WORD])
    clock = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(_INTEGER, [_INTEGER, time.as_pointer()]), "clock_gettime"
    )
    now = cgutils.alloca_once(builder, time, zfill=True)
    builder.call(clock, [_INTEGER(number), now])
    seconds, nanoseconds = cgutils.unpack_tuple(builder, builder.load(now), 2)
    return builder.add(builder.mul(seconds, _WORD(10**9)), nanoseconds)
