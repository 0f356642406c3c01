"""Which files of this repository a command is made of, so that an edit re-runs exactly what it can change."""

import ast
import functools
import os


@functools.cache
def code_files(script):
    """Return ``script`` and every module of its folder that it imports, directly or not, as sorted paths.

    The script itself comes first. Modules that hold nothing but a docstring, as packages do, are left out.
    """
    folder = os.path.dirname(script)
    seen, stack = set(), [script]
    while stack:
        path = stack.pop()
        if path not in seen:
            seen.add(path)
            stack += _imports(path, folder)
    return [script, *sorted(path for path in seen - {script} if _does_something(path))]


@functools.cache
def _imports(path, folder):
    """Return the files in ``folder`` that the module at ``path`` imports."""
    names = set()
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.Import):
            names.update(name for alias in node.names for name in _with_packages(alias.name))
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(_with_packages(node.module))
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    paths = set()
    for name in names:
        stem = os.path.join(folder, *name.split("."))
        paths.update(path for path in (f"{stem}.py", os.path.join(stem, "__init__.py")) if os.path.exists(path))
    return sorted(paths)


def _does_something(path):
    """Tell whether a module holds more than texts."""
    return any(not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in _parsed(path).body)


@functools.cache
def _parsed(path):
    with open(path, encoding="utf-8") as file:
        return ast.parse(file.read())


def _with_packages(name):
    """Return the name of a module and those of the packages around it."""
    parts = name.split(".")
    return [".".join(parts[: depth + 1]) for depth in range(len(parts))]
