"""How every kernel is compiled: the options with their reasons, and a cache that knows all kernel sources."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import CellType, CodeType, FunctionType
from typing import Any

import numba
from numba.core.cpu import CPUTargetOptions
from numba.core.registry import CPUDispatcher

#: Floating-point freedoms, named one by one. `nnan` and `ninf` are absent: a kernel must be able to see that
#: training diverged, and with them `isfinite(nan)` may be true.
FASTMATH = {
    "reassoc",  # a sum over a row becomes a sum over lanes
    "contract",  # a * b + c is one fused multiply-add
    "nsz",  # the sign of zero means nothing here
    "arcp",  # a division by a loop constant becomes a multiplication
}


def _options() -> dict[str, Any]:
    """Numba's options for every kernel, each with its reason (bench/kernel_options.py measures the last two)."""
    options: dict[str, Any] = {
        "nogil": True,  # Python's threads run kernels side by side
        "fastmath": FASTMATH,
        "no_cfunc_wrapper": True,  # nobody calls them from C: a tenth of compiling
        "forceinline": True,  # halves the block builder, a tenth of training: hardly seen in the whole
    }
    if hasattr(CPUTargetOptions, "_nrt"):  # not among Numba's promises
        options["_nrt"] = False  # kernels allocate nothing: no atomic counting of references to arrays
    return options


OPTIONS = _options()


def _sources() -> str:
    """Digest of all kernel sources; Numba's own cache key sees only the file a kernel stands in."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


SOURCES = _sources()


def _with_sources(function: FunctionType) -> FunctionType:
    """The same function with `SOURCES` among its closure cells, which are part of Numba's cache key."""
    code: CodeType = function.__code__
    marked = code.replace(co_freevars=(*code.co_freevars, "kernel_sources"))
    cells = (*(function.__closure__ or ()), CellType(SOURCES))
    copy = FunctionType(marked, function.__globals__, function.__name__, function.__defaults__, cells)
    copy.__doc__, copy.__module__, copy.__qualname__ = function.__doc__, function.__module__, function.__qualname__
    copy.__dict__.update(function.__dict__)
    return copy


def kernel(function: Callable[..., Any]) -> Any:
    """Compile `function` at its first call, without the interpreter lock, and cache it on disk where possible."""
    assert isinstance(function, FunctionType)
    marked = _with_sources(function)
    try:
        return numba.njit(cache=True, **OPTIONS)(marked)
    except RuntimeError:  # a read-only installation whose user has no home: compile at every start
        return numba.njit(**OPTIONS)(marked)


class _Inlined(CPUDispatcher):  # type: ignore[misc]  # Numba has no types
    """A compiled function without a way in from Python; one is compiled if Python calls it, as tests do.

    Numba's dispatcher and its options are not among Numba's promises either.
    """

    @cached_property
    def _way_in(self) -> Callable[..., Any]:
        return numba.njit(lambda *arguments: self(*arguments))

    def __call__(self, *arguments: Any) -> Any:
        return self._way_in(*arguments)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile `function` into the kernels that call it.

    What takes Python's arguments apart, arrays in tuples of tuples, would be a sixth of all compiling: only a `kernel`
    has that.
    """
    return _Inlined(function, targetoptions={"nopython": True, "no_cpython_wrapper": True, **OPTIONS})
