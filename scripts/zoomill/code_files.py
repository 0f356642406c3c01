"""Which files of this repository a command is made of, so that an edit re-runs exactly what it can change."""

import functools
import os
import re

# Statements as ruff formats them: one on a line, or names in parentheses. To parse all modules would take longer than
# to plan a run.
_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+)?import[ \t]+(\([^)]*\)|[^\n#;]*)", re.MULTILINE)
_NAME = re.compile(r"([\w.]+)(?:[ \t]+as[ \t]+\w+)?")
_COMMENT = re.compile("#.*")
_DOCSTRING = re.compile(r'\s*(?:"""[^"]*"""\s*)?')


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
    return [script, *sorted(path for path in seen - {script} if not _DOCSTRING.fullmatch(text(path)))]


@functools.cache
def _imports(path, folder):
    """Return the files in ``folder`` that the module at ``path`` imports."""
    names = set()
    for package, listed in _IMPORT.findall(text(path)):
        names.update(_with_packages(package) if package else ())
        for name in _NAME.findall(_COMMENT.sub("", listed)):
            names.update([f"{package}.{name}"] if package else _with_packages(name))
    stems = [os.path.join(folder, *name.split(".")) for name in names]
    return [path for stem in stems for path in (f"{stem}.py", f"{stem}/__init__.py") if os.path.exists(path)]


@functools.cache
def text(path):
    """Return the text of a module, as it was when this process first asked."""
    with open(path, encoding="utf-8") as file:
        return file.read()


def _with_packages(name):
    """Return the name of a module and those of the packages around it."""
    parts = name.split(".")
    return [".".join(parts[: depth + 1]) for depth in range(len(parts))]
