"""The architecture: imports go down. A module imports from lower layers, or from its own package on its own layer."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "embedtrain"
LAYERS = [
    {"errors", "_version", "kernels"},
    {"machine"},
    {"corpus"},
    {"counts", "formats"},
    {"vectors", "explorer"},
    {"training"},
    {"models"},
    {"__init__", "cli", "sklearn"},
    {"__main__"},
]
BESIDE = {"vectors", "explorer"}  # methods of `WordVectors` call the explorer, which searches neighbours
MODULES = sorted(PACKAGE.rglob("*.py"))


def unit_of(module):
    """The package or file directly below `embedtrain` that a dotted name belongs to."""
    return module.split(".")[1] if "." in module else "__init__"


def layer_of(unit):
    return next(layer for layer, units in enumerate(LAYERS) if unit in units)


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the layer"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "embedtrain")


@pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(PACKAGE)) for path in MODULES])
def test_imports_go_down(path):
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for module in imports_of(path):
        if module == "embedtrain" or not module.startswith("embedtrain."):
            continue
        other = unit_of(module)
        assert other == own or layer_of(other) < layer_of(own) or {own, other} == BESIDE, f"{own} imports {module}"


@pytest.mark.parametrize("path", sorted((PACKAGE / "kernels").rglob("*.py")), ids=lambda path: path.name)
def test_kernels_know_only_numbers(path):
    allowed = {"numpy", "numba", "llvmlite", "math", "typing", "collections", "__future__", "embedtrain"}
    if path.name == "compilation.py":
        allowed |= {"contextlib", "functools", "gc", "os", "types"}
    if path.name == "kernel_cache.py":
        allowed |= {"contextlib", "functools", "hashlib", "os", "pathlib", "pickle", "shutil", "sys", "types"}
    if path == PACKAGE / "kernels" / "__init__.py":
        allowed |= {"pkgutil"}
    assert {module.split(".")[0] for module in imports_of(path)} <= allowed


@pytest.mark.parametrize("path", sorted((PACKAGE / "kernels").rglob("*.py")), ids=lambda path: path.name)
def test_jitted_functions_neither_print_nor_raise(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and any(
            isinstance(decorator, ast.Name) and decorator.id in ("kernel", "inlined")
            for decorator in node.decorator_list
        ):
            assert not any(isinstance(inside, (ast.Raise, ast.Assert, ast.Try)) for inside in ast.walk(node))
            assert not any(isinstance(inside, ast.Name) and inside.id == "print" for inside in ast.walk(node))


def test_only_one_file_jits_and_one_starts_threads():
    for path in MODULES:
        modules = set(imports_of(path))
        if path.relative_to(PACKAGE).parts[0] != "kernels":
            assert not any(module.split(".")[0] in ("numba", "llvmlite") for module in modules), path
        if path.name != "threads.py":
            assert "threading" not in modules, path
            assert "concurrent.futures" not in modules, path
        if path.name != "compilation.py":
            assert "njit" not in path.read_text(encoding="utf-8"), path
