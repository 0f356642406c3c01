"""The floors of scripts/zoomill: a package imports its own floor's base, and floors below, never one above."""

import ast
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
FLOORS = [
    {""},  # the modules beside the packages
    {"toco", "inspect", "fetch", "inputs"},
    {"plan", "graph", "detection"},
    {"proof"},
    {"run", "tflite", "tfjs", "openvino"},
    {"evaluation", "pages"},
    {"sources"},
]
LEVEL = {package: level for level, packages in enumerate(FLOORS) for package in packages}
MODULES = sorted((SCRIPTS / "zoomill").rglob("*.py"))


def package(parts):
    """Return the package of a module of zoomill, by the parts of its name after `zoomill`."""
    return parts[0] if parts and (SCRIPTS / "zoomill" / parts[0]).is_dir() else ""


def imported(path):
    """Return the packages of zoomill that a module imports, and everything else at the top of its imports."""
    own, others = set(), set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = [f"{node.module}.{alias.name}" for alias in node.names] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for top, *parts in (name.split(".") for name in names):
            own.update([package(parts)] if top == "zoomill" else ())
            others.add(top)
    return own, others - {"zoomill"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SCRIPTS)))
def test_a_package_imports_only_lower_floors(path):
    own = package(path.relative_to(SCRIPTS / "zoomill").parts)
    reached, others = imported(path)
    assert {name for name in reached if name != own and LEVEL[name] >= LEVEL[own]} == set()
    assert not others & {file.stem for file in SCRIPTS.glob("*.py")}, "a module imports a command"


def test_every_package_stands_on_a_floor():
    assert {
        path.name for path in (SCRIPTS / "zoomill").iterdir() if (path / "__init__.py").exists()
    } == LEVEL.keys() - {""}


def test_the_plan_needs_neither_numpy_nor_a_framework():
    for path in (SCRIPTS / "zoomill/plan").glob("*.py"):
        assert not imported(path)[1] & {"numpy", "tensorflow", "ai_edge_litert", "torch", "onnx", "PIL"}, path.name


@pytest.mark.parametrize("package", ["tflite", "tfjs", "openvino", "proof", "evaluation", "pages", "inspect"])
def test_what_judges_never_imports_tensorflow(package):
    makers = {"tensorflow_converter.py", "tfjs_converter.py", "tfjs_einsum.py", "tfjs_layers.py"}
    for path in (SCRIPTS / "zoomill" / package).rglob("*.py"):
        assert path.name in makers or not imported(path)[1] & {"tensorflow", "keras", "tensorflowjs"}, path
