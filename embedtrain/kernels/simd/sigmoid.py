"""Logistic functions of scores, on whole vectors, as LLVM IR: the gradient and the loss of weighted questions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from embedtrain.kernels.simd.lanes import (
    FLAGS,
    FLOATS,
    LANES,
    VECTOR,
    call_vector,
    constant,
    data_of,
    fold,
    load,
    splat,
    store,
    sum_vector,
)


def _exp2(builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
    """2^x for |x| <= 126: Taylor's series of the fraction (relative error 2e-7), shifted by the whole part."""
    whole = call_vector(builder, "rint", x)
    fraction = builder.fsub(x, whole, flags=FLAGS)
    series = constant(math.log(2) ** 6 / math.factorial(6))
    for power in range(5, -1, -1):
        series = call_vector(
            builder, "fmuladd", series, fraction, constant(math.log(2) ** power / math.factorial(power))
        )
    ints = ir.VectorType(ir.IntType(32), LANES)
    exponent = builder.add(builder.fptosi(whole, ints), ir.Constant(ints, [127] * LANES))
    scale = builder.bitcast(builder.shl(exponent, ir.Constant(ints, [23] * LANES)), VECTOR)
    return builder.fmul(series, scale, flags=FLAGS)


def _exp_minus(builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
    """e^-x, with x brought into [-80, 80] (NaN too: `logistic_loss` is where it shows)."""
    clamped = call_vector(builder, "maxnum", call_vector(builder, "minnum", x, constant(80)), constant(-80))
    return _exp2(builder, builder.fmul(clamped, constant(-1 / math.log(2)), flags=FLAGS))


def _one_over(builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
    return builder.fdiv(constant(1), x, flags=FLAGS)


@intrinsic
def logistic_gradient(typing, S, s, weights, n, lr):
    """S[e] = lr * |weights[e]| * (label - sigmoid(S[e])),  label = 1 where weights[e] > 0, else 0.

    For e in [s, s + n), n rounded up to whole vectors.
    """
    signature = types.void(FLOATS, types.int64, FLOATS, types.int64, types.float32)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        S, s, weights, n, lr = arguments
        S, weights = (data_of(context, builder, FLOATS, array) for array in (S, weights))
        rates = splat(builder, lr)

        def step(at: ir.Value, _: list[ir.Value]) -> list[ir.Value]:
            exponential = _exp_minus(builder, load(builder, S, at))
            sigmoid = _one_over(builder, builder.fadd(constant(1), exponential, flags=FLAGS))
            weight = builder.fmul(rates, load(builder, weights, at), flags=FLAGS)
            raised = call_vector(builder, "maxnum", weight, constant(0))
            lowered = builder.fmul(call_vector(builder, "fabs", weight), sigmoid, flags=FLAGS)
            store(builder, builder.fsub(raised, lowered, flags=FLAGS), S, at)
            return []

        fold(builder, s, builder.add(s, n), LANES, [], step)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def logistic_loss(typing, S, s, weights, n):
    """Sum over e in [s, s + n) of |weights[e]| * softplus(-S[e] if weights[e] > 0 else S[e]), n in whole vectors.

    softplus(x) = log(1 + e^x) = max(x, 0) + 2 atanh(u / (2 + u)), u = e^-|x|; not finite where x is not.
    """
    signature = types.float32(FLOATS, types.int64, FLOATS, types.int64)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        S, s, weights, n = arguments
        S, weights = (data_of(context, builder, FLOATS, array) for array in (S, weights))

        def step(at: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
            score, weight = load(builder, S, at), load(builder, weights, at)
            raises = builder.fcmp_ordered(">", weight, constant(0))
            x = builder.select(raises, builder.fsub(constant(-0.0), score), score)
            u = _exp_minus(builder, call_vector(builder, "fabs", x))
            z = builder.fmul(u, _one_over(builder, builder.fadd(constant(2), u, flags=FLAGS)), flags=FLAGS)
            square = builder.fmul(z, z, flags=FLAGS)
            series = constant(2 / 13)
            for power in range(11, 0, -2):
                series = call_vector(builder, "fmuladd", series, square, constant(2 / power))
            positive = builder.select(builder.fcmp_ordered("<", x, constant(0)), constant(0), x)  # keeps NaN
            softplus = builder.fadd(positive, builder.fmul(series, z, flags=FLAGS))
            asked = builder.fcmp_ordered("!=", weight, constant(0))  # a score that nobody asked for may be anything
            loss = builder.fmul(call_vector(builder, "fabs", weight), softplus)
            return [builder.select(asked, builder.fadd(sums[0], loss), sums[0])]

        (sums,) = fold(builder, s, builder.add(s, n), LANES, [constant(0)], step)
        return sum_vector(builder, sums)

    return signature, generate
