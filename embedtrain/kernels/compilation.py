"""Compilation of kernels: Numba's options with their reasons."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from types import CellType, CodeType, FunctionType
from typing import Any

from numba import types
from numba.core import event
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.cpu import CPUTargetOptions
from numba.core.registry import CPUDispatcher

from embedtrain.kernels.kernel_cache import SOURCES, KernelCache

#: Fast-math flags. `nnan` and `ninf` are absent: with them `isfinite(nan)` may be true, and divergence go unnoticed.
FASTMATH = {
    "reassoc",  # a sum over a row becomes a sum over lanes
    "contract",  # a * b + c is one fused multiply-add
    "nsz",  # the sign of zero does not matter
    "arcp",  # a division by a loop constant becomes a multiplication
}


def _options() -> dict[str, Any]:
    """Numba's options for every kernel, each with its reason (bench/kernel_options.py measures the last two)."""
    options: dict[str, Any] = {
        "nogil": True,  # Python threads run kernels in parallel
        "fastmath": FASTMATH,
        "no_cfunc_wrapper": True,  # not called from C: saves a tenth of the compile time
        "forceinline": True,  # halves the time of the block builder, a tenth of training
    }
    if hasattr(CPUTargetOptions, "_nrt"):  # private to Numba
        options["_nrt"] = False  # kernels allocate nothing: no atomic counting of references to arrays
    return options


OPTIONS = _options()
UNCACHED: list[str] = []  # names of kernels that are compiled in every process, as no folder can be written

if hasattr(os, "register_at_fork"):  # a fork waits while another thread compiles: its lock would stay locked
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=global_compiler_lock.release,
    )


def _with_sources(function: FunctionType) -> FunctionType:
    """Copy a function with `SOURCES` among its closure cells, which are part of Numba's cache key."""
    code: CodeType = function.__code__
    marked = code.replace(co_freevars=(*code.co_freevars, "kernel_sources"))
    cells = (*(function.__closure__ or ()), CellType(SOURCES))
    copy = FunctionType(marked, function.__globals__, function.__name__, function.__defaults__, cells)
    copy.__doc__, copy.__module__, copy.__qualname__ = function.__doc__, function.__module__, function.__qualname__
    copy.__dict__.update(function.__dict__)
    return copy


#: Numba's passes for comprehensions and expressions of whole arrays, which kernels do not have.
_IDLE_PASSES = {"InlineClosureLikes", "NopythonRewrites"}


class _KernelCompiler(Compiler):  # type: ignore[misc]  # Numba has no types
    """Numba's compiler without passes that do nothing, a twentieth of the time."""

    def define_pipelines(self) -> list[Any]:
        pipelines: list[Any] = super().define_pipelines()
        for pipeline in pipelines:
            pipeline.passes = [step for step in pipeline.passes if step[0].__name__ not in _IDLE_PASSES]
            pipeline.finalize()
        return pipelines


class _Kernel(CPUDispatcher):  # type: ignore[misc]  # Numba has no types
    """A function that is compiled without garbage collections, which take a tenth of the time."""

    def compile(self, sig: Any) -> Any:
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            return super().compile(sig)
        finally:
            if was_enabled:
                gc.enable()


def kernel(function: Callable[..., Any]) -> Any:
    """Compile `function` at its first call, without the interpreter lock, and cache it on disk where possible."""
    assert isinstance(function, FunctionType)
    marked = _with_sources(function)
    compiled = _Kernel(marked, targetoptions={"nopython": True, **OPTIONS}, pipeline_class=_KernelCompiler)
    try:
        compiled._cache = KernelCache(marked)  # as `enable_caching` of Numba does with its own cache
    except RuntimeError:  # no folder can be written: compile in every process
        UNCACHED.append(marked.__name__)
    return compiled


class _Compilation(event.Listener):  # type: ignore[misc]  # Numba has no types
    """Calls a function when a kernel is first compiled in this process, and another before each step of compilation."""

    begun = False

    def __init__(self, action: Callable[[], None], before_step: Callable[[], None]) -> None:
        self._action, self._before_step = action, before_step

    def on_start(self, begun: event.Event) -> None:
        self._before_step()
        if begun.kind != "numba:compile" or _Compilation.begun:
            return
        if begun.data["dispatcher"].py_func.__module__.startswith("embedtrain."):
            _Compilation.begun = True
            self._action()

    def on_end(self, ended: event.Event) -> None:
        """Do nothing; the base class requires the method."""


@contextmanager
def on_compilation(action: Callable[[], None], before_step: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Call `action` in the block when the first kernel of this process is compiled, and `before_step` many times.

    `before_step` may raise: the compilation is given up.
    """
    listener = _Compilation(action, before_step)
    with event.install_listener("numba:compile", listener), event.install_listener("numba:run_pass", listener):
        yield


def _call(*arguments: Any) -> Any:
    return function(*arguments)  # noqa: F821  # a global of each copy


def callable_from_python(function: Any, name: str) -> Any:
    """Compile and cache a function that calls `function`, which otherwise only kernels can call.

    `function` is a global of it, since with a closure cell Numba's cache key would differ in each process.
    """
    caller = FunctionType(_call.__code__.replace(co_name=name), {"function": function}, name)
    caller.__module__, caller.__qualname__ = __name__, name
    return kernel(caller)


class _LinkedCode(JITCodeLibrary):  # type: ignore[misc]
    """The code of an inlined function, which is optimised and compiled as part of the kernels that it is linked to.

    Numba would also optimise and compile it by itself, half of all time in LLVM, though nothing calls it.
    """

    def _optimize_final_module(self) -> None:
        """Leave the code as it is."""

    def _finalize_final_module(self) -> None:
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Return the null pointer: the function is not compiled by itself."""
        return 0

    @property
    def codegen(self) -> Any:
        """What sets the environment of a compiled function."""
        return self

    def set_env(self, *_: Any) -> None:
        """Do nothing."""


class _InlinedCompiler(_KernelCompiler):
    """Makes `_LinkedCode`."""

    def __init__(self, typing: Any, target: Any, library: Any, *arguments: Any) -> None:
        super().__init__(typing, target, _LinkedCode(target.codegen(), "inlined"), *arguments)


class _Inlined(CPUDispatcher):  # type: ignore[misc]
    """A function compiled into kernels alone; if Python calls it, as tests do, a kernel that calls it is compiled.

    Numba's dispatcher and its options are private to Numba.
    """

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Type a call, with a literal as any other value of its type: else it would be compiled for each literal."""
        return super().get_call_template(tuple(map(types.unliteral, args)), kws)

    @cached_property
    def _wrapper(self) -> Callable[..., Any]:
        return callable_from_python(self, f"{self.py_func.__module__}.{self.py_func.__name__}".replace(".", "_"))

    def __call__(self, *arguments: Any) -> Any:
        return self._wrapper(*arguments)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile `function` into kernels that call it, without a wrapper for Python, a sixth of the compile time."""
    options = {"nopython": True, "no_cpython_wrapper": True, **OPTIONS}
    return _Inlined(function, targetoptions=options, pipeline_class=_InlinedCompiler)
