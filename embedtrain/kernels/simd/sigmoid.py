"""Logistic loss and its gradient for scores S and weights, on whole vectors: label 1 where a weight is positive."""

from __future__ import annotations

import math

from llvmlite import ir
from numba.types import float32, int64, void

from embedtrain.kernels.simd.lanes import FLOATS, INT, INT32, LANES, VECTOR, constant, emits


def _exp2(b, x):
    """2^x for |x| <= 126: Taylor series of the fraction (relative error 2e-7), scaled by the whole part."""
    whole = b.call_vector("rint", x)
    fraction = b.fsub(x, whole)
    series = constant(math.log(2) ** 6 / math.factorial(6))
    for power in range(5, -1, -1):
        series = b.fma(series, fraction, constant(math.log(2) ** power / math.factorial(power)))
    ints = ir.VectorType(INT32, LANES)
    exponent = b.add(b.fptosi(whole, ints), ir.Constant(ints, [127] * LANES))
    scale = b.bitcast(b.shl(exponent, ir.Constant(ints, [23] * LANES)), VECTOR)
    return b.fmul(series, scale)


def _exp_minus(b, x):
    """e^-x, with x clipped to [-80, 80]; NaN is lost here, and propagated by `logistic_loss`."""
    clamped = b.call_vector("maxnum", b.call_vector("minnum", x, constant(80)), constant(-80))
    return _exp2(b, b.fmul(clamped, constant(-1 / math.log(2))))


def _one_over(b, x):
    return b.fdiv(constant(1), x)


@emits(void, FLOATS, FLOATS, int64, float32, float32)
def logistic_gradient(b, S, weights, n, lr, baseline):
    """S[e] = lr * weights[e] * (1 - sigmoid(S[e]) if weights[e] > 0 else sigmoid(S[e]) - baseline).

    For e in [0, n), n rounded up to whole vectors.
    """
    rates, baselines = b.splat(lr), b.splat(baseline)

    def step(at, _):
        exponential = _exp_minus(b, b.load_at(S, at))
        sigmoid = _one_over(b, b.fadd(constant(1), exponential))
        weight = b.fmul(rates, b.load_at(weights, at))
        positive = b.fcmp_ordered(">", weight, constant(0))
        error = b.select(positive, b.fsub(constant(1), sigmoid), b.fsub(sigmoid, baselines))
        b.store_at(b.fmul(weight, error), S, at)

    b.loop(INT(0), n, LANES, [], step)


@emits(float32, FLOATS, FLOATS, int64)
def logistic_loss(b, S, weights, n):
    """Sum over e in [0, n) of |weights[e]| * softplus(-S[e] if weights[e] > 0 else S[e]), n in whole vectors.

    softplus(x) = log(1 + e^x) = max(x, 0) + 2 atanh(u / (2 + u)), u = e^-|x|; not finite where x is not.
    """

    def step(at, sums):
        score, weight = b.load_at(S, at), b.load_at(weights, at)
        positive = b.fcmp_ordered(">", weight, constant(0))
        x = b.select(positive, b.fsub(constant(-0.0), score, flags=()), score)
        u = _exp_minus(b, b.call_vector("fabs", x))
        z = b.fmul(u, _one_over(b, b.fadd(constant(2), u)))
        square = b.fmul(z, z)
        series = constant(2 / 13)  # atanh(z) = z + z^3 / 3 + z^5 / 5 + …
        for power in range(11, 0, -2):
            series = b.fma(series, square, constant(2 / power))
        rectified = b.select(b.fcmp_ordered("<", x, constant(0)), constant(0), x)  # max(x, 0) that keeps NaN
        softplus = b.fadd(rectified, b.fmul(series, z))
        counts = b.fcmp_ordered("!=", weight, constant(0))  # scores of weight 0 are arbitrary
        loss = b.fmul(b.call_vector("fabs", weight), softplus, flags=())
        return [b.select(counts, b.fadd(sums[0], loss, flags=()), sums[0])]

    (total,) = b.loop(INT(0), n, LANES, [constant(0)], step)
    return b.sum_vector(total)
