"""Answer the calls that Snakemake makes to conda, for machines without conda.

Environments are built by uv from the same envs/*.yaml that conda would read, as virtual environments. Only
what Snakemake calls is known; anything else is refused, so that nobody takes this for conda.
"""

import contextlib
import fcntl
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
# conda's names of systems, as `conda info` prints them.
PLATFORMS = {
    ("Linux", "x86_64"): "linux-64",
    ("Linux", "aarch64"): "linux-aarch64",
    ("Darwin", "x86_64"): "osx-64",
    ("Darwin", "arm64"): "osx-arm64",
}


class Failure(Exception):
    """What the user reads, in one line."""


def main(argv):
    """Answer one call.

    Raises:
        Failure: when an environment cannot be built.
        SystemExit: with status 2, for a call that is not known.
    """
    match argv:
        case ["info", "--json"]:
            system = PLATFORMS[platform.system(), platform.machine()]
            # Snakemake puts the prefix into a shell line as it is.
            prefix = shlex.quote(str(ROOT))
            print(json.dumps({"conda_prefix": prefix, "platform": system}))
        case ["env", "create", "--quiet", "--no-default-packages", "--file", file, "--prefix", prefix]:
            create(Path(file), Path(prefix))
        case ["clean", "-y", "--tarballs"]:
            pass
        case _:
            call = " ".join(["conda", *argv])
            print(f"error: `{call}` needs the real conda; {ROOT} only stands in for it", file=sys.stderr)
            sys.exit(2)


def create(file, prefix):
    """Build the environment of ``file`` in ``prefix``, a folder that does not exist yet.

    It is built beside its place and renamed, so that a killed call leaves nothing that looks finished. A call
    for the same place from another workflow waits for this one and then has nothing to do.
    """
    name, python, packages = requirements(file)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(f"{prefix}.lock"):
        if prefix.exists():
            return
        print(f"building environment {name} (Python {python}, {len(packages)} packages) with uv", flush=True)
        partial = f"{prefix}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        try:
            create_venv(name, python, partial)
            install(name, packages, partial)
            os.rename(partial, prefix)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def requirements(file):
    """Return name, Python version and pip requirements of an environment file.

    Raises:
        Failure: when the file asks for more than Python, pip and what pip installs.
    """
    try:
        import yaml
    except ImportError:
        raise Failure(f"{sys.executable} has no PyYAML; set ZOOMILL_PYTHON to a Python that has it") from None
    environment = yaml.safe_load(file.read_text(encoding="utf-8"))
    name = environment.get("name", file.stem)
    python, packages = None, []
    for dependency in environment["dependencies"]:
        match dependency:
            case {"pip": [*pins]}:
                packages += pins
            case "pip":
                packages.append("pip")
            case str() if dependency.startswith("python="):
                python = dependency.removeprefix("python=")
            case _:
                raise Failure(f"environment {name} needs the real conda: uv cannot install {dependency}")
    if python is None:
        raise Failure(f"environment {name} names no Python; add python=3.x to its dependencies")
    return name, python, packages


@contextlib.contextmanager
def exclusive(path):
    """Hold the lock file ``path``; the file stays, as removing it would let two in."""
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def create_venv(name, python, folder):
    """Create an empty virtual environment that may be renamed.

    Raises:
        Failure: when uv finds no such Python.
    """
    if uv("venv", "--relocatable", "--python", python, folder, stderr=subprocess.DEVNULL):
        raise Failure(
            f"environment {name} needs Python {python}, which uv can neither find nor download: "
            f"install it (`pyenv install {python}`), or install conda or mamba, which bring their own"
        )


def install(name, packages, folder):
    """Install ``packages`` and compile them: TensorFlow without bytecode starts in twice the time.

    Raises:
        Failure: when uv fails; uv has then said why on stderr.
    """
    if uv("pip", "install", "--compile-bytecode", "--python", f"{folder}/bin/python", *packages):
        raise Failure(f"uv could not install the packages of environment {name}, see above")


def uv(*arguments, stderr=None):
    """Run uv and return its exit status.

    pyenv's shims answer to the name of every Python and fail for most, hence the real folders on uv's path.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    path = [folder for folder in os.get_exec_path() if Path(folder) != pyenv / "shims"]
    path += sorted(map(str, pyenv.glob("versions/*/bin")))
    environment = {**os.environ, "PATH": os.pathsep.join(path)}
    command = [find_uv(), *arguments, "--quiet"]
    return subprocess.run(command, check=False, stderr=stderr, env=environment).returncode


def find_uv():
    """Return the uv installed with this Python, else the one on PATH."""
    with contextlib.suppress(ImportError, FileNotFoundError):
        from uv import find_uv_bin

        return find_uv_bin()
    if found := shutil.which("uv"):
        return found
    raise Failure(f"there is no conda, and no uv in {sys.prefix} or on PATH; install one of them")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Failure as failure:
        sys.exit(f"error: {failure}")
