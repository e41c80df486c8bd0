"""Stack memory for lanes.

A loop over lanes vectorises only if the compiler can prove that what it writes overlaps none of the
tables it reads.  It can for memory on the function's own stack, which no argument can point into, and
not for an array that came from outside.  So kernels copy lanes into a `lane_block`, work there, and
copy out.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, types  # type: ignore[attr-defined]
from numba.core import cgutils
from numba.extending import intrinsic, overload

LANES = 24  # three vectors of eight doubles; holds the 21 sigma points of ten states
ROWS = 10
_COUNT = ROWS * LANES


def lane_block() -> Any:
    """Return an uninitialised array (ROWS, LANES), on the caller's stack in compiled code."""
    return np.empty((ROWS, LANES))


@intrinsic
def _stack(typing_context):  # type: ignore[no-untyped-def]
    """Return a pointer to a block of doubles on the stack."""

    def codegen(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        block = cgutils.alloca_once(builder, ir.ArrayType(ir.DoubleType(), _COUNT))
        block.align = 64
        return builder.bitcast(block, ir.PointerType(ir.DoubleType()))

    return types.CPointer(types.float64)(), codegen


@overload(lane_block, inline="always")
def _lane_block():  # type: ignore[no-untyped-def]
    def block():  # type: ignore[no-untyped-def]
        return carray(_stack(), (ROWS, LANES), np.float64)  # type: ignore[call-arg]

    return block
