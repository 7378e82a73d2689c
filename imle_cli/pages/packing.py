"""Arrays as JSON, packed: little-endian numbers, or bits, compressed and written in base64.

``scripts/data.js`` unpacks them. Bytes of equal significance stand together before they are compressed, all first ones, all
second ones and so on, since numbers that are near each other share their upper bytes.
"""

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")


def pack(array: NDArray[Any], *, deltas: bool = False) -> dict[str, Any]:
    """An array of any shape as values of JSON.

    Args:
        array: numbers of 8 to 32 bits, or floats of 32 or 64, NaN and infinity among them; or bools, of which eight take a
            byte.
        deltas: write differences along the first axis, modulo 2^bits: smaller for whole numbers that change little from
            row to row. They are added up again when unpacked.

    Raises:
        TypeError: a value of another type.
    """
    if not isinstance(array, np.ndarray) or array.dtype.name not in (*_TYPES, "bool"):
        got = f"{type(array).__name__} {getattr(array, 'dtype', '')}"
        raise TypeError(f"{got} cannot be packed; make it an array of {', '.join(_TYPES)} or bool")
    if deltas and array.dtype.kind not in "ui":
        raise TypeError(f"deltas of {array.dtype} would be rounded; make it an array of whole numbers")
    values = np.diff(array, axis=0, prepend=array.dtype.type(0)) if deltas else array
    if array.dtype == bool:
        content = np.packbits(values, axis=None, bitorder="little").tobytes()
    else:
        size = array.dtype.itemsize
        little = np.ascontiguousarray(values, dtype=array.dtype.newbyteorder("<"))
        content = little.reshape(-1).view(np.uint8).reshape(-1, size).T.tobytes()
    return {
        "packed": array.dtype.name,
        "shape": list(array.shape),
        "deltas": deltas,
        "text": base64.b64encode(zlib.compress(content, 9)).decode(),
    }
