"""All that a command is made of as one input of its rules, which Snakemake looks at for each job.

Thirty modules of each job were two thirds of all inputs, and half of the time that it took to plan a run.
"""

import contextlib
import functools
import hashlib
import os

from zoomill import code_files

FOLDER = ".snakemake/code"


def of(script):
    """Return the path of a file that says the digests of a command's modules, and changes only when one of them does.

    Where there was none, it is as old as the youngest module, so that what was made since is not made again.

    Args:
        script: path of the command.
    """
    folder, modules = os.path.dirname(script), code_files.code_files(script)
    wanted, said = "".join(f"{_digest(path)}  {os.path.relpath(path, folder)}\n" for path in modules).encode(), None
    path = os.path.join(FOLDER, os.path.basename(script).removesuffix(".py"))
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
        said = file.read()
    if said != wanted:
        _write(path, wanted, max(os.stat(module).st_mtime_ns for module in modules) if said is None else None)
    return path


@functools.cache
def _digest(path):
    return hashlib.sha256(code_files.text(path).encode()).hexdigest()


def _write(path, content, time):
    """Write a file at once, since other processes of a run look at it too, and give it a time, now if that is None."""
    os.makedirs(FOLDER, exist_ok=True)
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "wb") as file:
        file.write(content)
    if time is not None:
        os.utime(temporary, ns=(time, time))
    os.replace(temporary, path)
