"""The weights of a skip-gram tile: its centres with their noise words and with the tokens of their windows."""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.types import float32, int64, void

from embedtrain.kernels.simd.lanes import FLOATS, INT, INT32, LANES, VECTOR, constant, emits
from embedtrain.kernels.simd.tiles import ROWS

_INTS = types.Array(types.int32, 1, "C")
_INT_VECTOR = ir.VectorType(INT32, LANES)


def _ints(values):
    return ir.Constant(_INT_VECTOR, values)


def _each_row(b, numbers, start):
    """The vector that has numbers[start + lane % ROWS] in each lane."""
    loaded = b.load_at(numbers, start, kind=ir.VectorType(INT32, ROWS))
    return b.shuffle_vector(loaded, loaded, _ints([lane % ROWS for lane in range(LANES)]))


@emits(void, FLOATS, int64, int64, int64, int64, _INTS, _INTS, int64, int64, int64, float32)
def set_tile_weights(b, weights, n_noise, low, high, n_columns, begins, ends, i, centre, n_rows, noise_weight):
    """Set the weights of `ROWS` centres from token `centre` on, output by output; those from `n_rows` on have weight 0.

    The window of centre r is [begins[i + r], ends[i + r]), of which the tokens [low, high) count, without the centre.
    Outputs [0, n_noise) are noise words with the weight -noise_weight for each context, then follow the tokens from
    `low` on with 1 for contexts and 0 for others, up to output `n_columns`.
    """

    def narrow(value):
        return b.splat(b.trunc(value, INT32))

    row_numbers, columns = _ints([lane % ROWS for lane in range(LANES)]), _ints([k // ROWS for k in range(LANES)])
    lows, highs, used = narrow(low), narrow(high), b.icmp_signed("<", row_numbers, narrow(n_rows))
    own = b.add(narrow(centre), row_numbers)
    first, last = _each_row(b, begins, i), _each_row(b, ends, i)
    first = b.select(b.icmp_signed(">", first, lows), first, lows)
    last = b.select(b.icmp_signed("<", last, highs), last, highs)
    last = b.select(used, last, first)

    # noise: contexts are the tokens of the window without the centre
    has_own = b.and_(b.icmp_signed(">=", own, first), b.icmp_signed("<", own, last))
    contexts = b.sub(b.sub(last, first), b.zext(has_own, _INT_VECTOR))
    contexts = b.select(b.icmp_signed(">", contexts, _ints([0] * LANES)), contexts, _ints([0] * LANES))
    noise = b.fmul(b.splat(b.fneg(noise_weight)), b.sitofp(contexts, VECTOR))
    step = LANES // ROWS
    b.loop(INT(0), n_noise, step, [], lambda k, _: b.store_at(noise, weights, b.mul(k, INT(ROWS))))

    # tokens: 1 in the window, 0 for the centre itself
    def set_tokens(k, _):
        token = b.add(narrow(b.add(low, b.sub(k, n_noise))), columns)
        inside = b.and_(b.icmp_signed(">=", token, first), b.icmp_signed("<", token, last))
        inside = b.and_(inside, b.icmp_signed("!=", token, own))
        b.store_at(b.select(inside, constant(1), constant(0)), weights, b.mul(k, INT(ROWS)))

    b.loop(n_noise, n_columns, step, [], set_tokens)
