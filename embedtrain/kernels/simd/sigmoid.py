"""Logistic loss and its gradient for scores S and weights, on whole vectors: label 1 where a weight is positive."""

from __future__ import annotations

import math

from llvmlite import ir
from numba.types import float32, int64, void

from embedtrain.kernels.simd.lanes import (
    FLAGS,
    FLOATS,
    INT32,
    LANES,
    VECTOR,
    add,
    call_vector,
    constant,
    emit_loop,
    emits,
    fma,
    integer,
    load,
    multiply,
    splat,
    store,
    sum_vector,
)


def _exp2(b, x):
    """2^x for |x| <= 126: Taylor series of the fraction (relative error 2e-7), scaled by the whole part."""
    whole = call_vector(b, "rint", x)
    fraction = b.fsub(x, whole, flags=FLAGS)
    series = constant(math.log(2) ** 6 / math.factorial(6))
    for power in range(5, -1, -1):
        series = fma(b, series, fraction, constant(math.log(2) ** power / math.factorial(power)))
    ints = ir.VectorType(INT32, LANES)
    exponent = b.add(b.fptosi(whole, ints), ir.Constant(ints, [127] * LANES))
    scale = b.bitcast(b.shl(exponent, ir.Constant(ints, [23] * LANES)), VECTOR)
    return multiply(b, series, scale)


def _exp_minus(b, x):
    """e^-x, with x clipped to [-80, 80]; NaN is lost here, and propagated by `logistic_loss`."""
    clamped = call_vector(b, "maxnum", call_vector(b, "minnum", x, constant(80)), constant(-80))
    return _exp2(b, multiply(b, clamped, constant(-1 / math.log(2))))


def _one_over(b, x):
    return b.fdiv(constant(1), x, flags=FLAGS)


@emits(void, FLOATS, FLOATS, int64, float32, float32)
def logistic_gradient(b, S, weights, n, lr, baseline):
    """S[e] = lr * weights[e] * (1 - sigmoid(S[e]) if weights[e] > 0 else sigmoid(S[e]) - baseline).

    For e in [0, n), n rounded up to whole vectors.
    """
    rates, baselines = splat(b, lr), splat(b, baseline)

    def step(at, _):
        exponential = _exp_minus(b, load(b, S, at))
        sigmoid = _one_over(b, add(b, constant(1), exponential))
        weight = multiply(b, rates, load(b, weights, at))
        positive = b.fcmp_ordered(">", weight, constant(0))
        error = b.select(positive, b.fsub(constant(1), sigmoid, flags=FLAGS), b.fsub(sigmoid, baselines, flags=FLAGS))
        store(b, multiply(b, weight, error), S, at)

    emit_loop(b, integer(0), n, LANES, [], step)


@emits(float32, FLOATS, FLOATS, int64)
def logistic_loss(b, S, weights, n):
    """Sum over e in [0, n) of |weights[e]| * softplus(-S[e] if weights[e] > 0 else S[e]), n in whole vectors.

    softplus(x) = log(1 + e^x) = max(x, 0) + 2 atanh(u / (2 + u)), u = e^-|x|; not finite where x is not.
    """

    def step(at, sums):
        score, weight = load(b, S, at), load(b, weights, at)
        positive = b.fcmp_ordered(">", weight, constant(0))
        x = b.select(positive, b.fsub(constant(-0.0), score), score)
        u = _exp_minus(b, call_vector(b, "fabs", x))
        z = multiply(b, u, _one_over(b, add(b, constant(2), u)))
        square = multiply(b, z, z)
        series = constant(2 / 13)  # atanh(z) = z + z^3 / 3 + z^5 / 5 + …
        for power in range(11, 0, -2):
            series = fma(b, series, square, constant(2 / power))
        rectified = b.select(b.fcmp_ordered("<", x, constant(0)), constant(0), x)  # max(x, 0) that keeps NaN
        softplus = add(b, rectified, multiply(b, series, z))
        counts = b.fcmp_ordered("!=", weight, constant(0))  # scores of weight 0 are arbitrary
        loss = b.fmul(call_vector(b, "fabs", weight), softplus)
        return [b.select(counts, b.fadd(sums[0], loss), sums[0])]

    (total,) = emit_loop(b, integer(0), n, LANES, [constant(0)], step)
    return sum_vector(b, total)
