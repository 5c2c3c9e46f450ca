"""Numba kernels: functions of arrays and scalars. Numba is checked when the first of them is imported."""

import pkgutil

_PRIVATE = (  # what the kernels use of Numba that its documentation does not promise
    "numba.core.caching:CompileResultCacheImpl._locator_classes",
    "numba.core.caching:FunctionCache",
    "numba.core.caching:FunctionCache._guard_against_spurious_io_errors",
    "numba.core.caching:FunctionCache._load_overload",
    "numba.core.caching:IndexDataCacheFile._open_for_write",
    "numba.core.caching:_CacheLocator",
    "numba.core.codegen:JITCodeLibrary._finalize_final_module",
    "numba.core.codegen:JITCodeLibrary._optimize_final_module",
    "numba.core.compiler:Compiler",
    "numba.core.compiler_lock:global_compiler_lock.acquire",
    "numba.core.config:CACHE_DIR",
    "numba.core.cpu:CPUTargetOptions",
    "numba.core.event:install_listener",
    "numba.core.registry:CPUDispatcher",
    "numba.core.registry:cpu_target",
)


def _refuse(reason: str) -> None:
    raise ImportError(reason, name=__name__)


def _check_numba() -> None:
    """Check that Numba can be imported, compiles, and has the private parts that the kernels use."""
    try:
        import numba
    except ValueError as error:
        _refuse(f"Numba cannot be imported: {str(error).rstrip('.')}; check the environment variables NUMBA_*")
    if numba.config.DISABLE_JIT:
        _refuse("the kernels must be compiled, and NUMBA_DISABLE_JIT forbids it; unset it")
    try:
        for name in _PRIVATE:
            pkgutil.resolve_name(name)
    except (ImportError, AttributeError) as error:
        tested = (
            f"embedtrain was tested with Numba 0.60 to 0.68, and Numba {numba.__version__} lacks a part that it uses"
        )
        _refuse(f"{tested} ({error}); install one of these")


_check_numba()
