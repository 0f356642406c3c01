"""Run an attack and say what came of it.

Verdicts: ``refused`` (one error line), ``told`` (inspection names what the file does), ``harmless`` (accepted, and
nothing happened), ``contained`` (without checks: whatever the command did, nothing got out), ``escaped``,
``traceback``, ``crash``, ``hang``.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys

import numpy as np

from attacks import exporters, servers
from attacks.make import place_of

GOOD = ("refused", "told", "harmless", "contained")
LIMIT = 120  # seconds
_WORDS = ("runs code", "touches files", "uses the network", "is not known to be harmless")
_SCRIPTS = exporters.REPOSITORY / "scripts"


def make(folder, environment, names=()):
    """Make the attacks of an environment, or those of these names, by its Python."""
    surroundings = {**os.environ, **exporters.FIXED, "PYTHONPATH": exporters.PYTHONPATH}
    command = [exporters.python(environment), "-m", "attacks.make", folder, environment, *names]
    subprocess.run(list(map(str, command)), env=surroundings, check=True, stdout=sys.stderr)


def escaped(place, outcome, output):
    """Return whether a marker was made, or the secret stands in what was written or printed."""
    if any(path.name.startswith("marker") for path in place.outside.iterdir()):
        return True
    secrets = place.secret.read_bytes(), place.listed.encode()
    forms = [form for secret in secrets for form in (secret, np.frombuffer(secret, "u1").astype("<f4").tobytes())]
    written = [path.read_bytes() for path in output.rglob("*") if path.is_file() and not path.is_symlink()]
    return any(form in data for form in forms for data in (*written, outcome.log.encode()))


def verdict(place, outcome, output, checked=True):
    """Return the verdict of a run: see the module."""
    if escaped(place, outcome, output):
        return "escaped"
    if outcome.word in ("hang", "crash"):
        return outcome.word
    if not checked:
        return "contained"
    return "harmless" if outcome.word == "accepted" else outcome.word


def inspect(folder, attack, limit=LIMIT):
    """Return the verdict of ``inspect``, and its :class:`~attacks.exporters.Outcome`."""
    place, run, output = _fresh(folder, attack, "inspect")
    path = exporters.model_file(attack.kind, place.source, attack.flags)
    outcome = exporters.run([exporters.python("base"), _SCRIPTS / "inspect_model.py", path], run, limit)
    found = verdict(place, outcome, output)
    told = found == "harmless" and any(word in outcome.log for word in _WORDS)
    return "told" if told else found, outcome


def export(folder, attack, javascript=None, checked=True, limit=LIMIT, through=(), **variables):
    """Return the verdict of the exporter, with checks or without, and its :class:`~attacks.exporters.Outcome`.

    Args:
        folder, attack: the attack, and the folder in which it was made.
        javascript: folder of the JavaScript packages, which only TensorFlow.js needs.
        checked: whether the checks of what a source may contain are run.
        limit: seconds.
        through: arguments between Python and the script, such as those of the client of warm processes.
        variables: of the command's environment.
    """
    place, run, output = _fresh(folder, attack, "checked" if checked else "unchecked")
    allow = () if checked else attack.allow
    flags = exporters.flags(attack.kind, place.source, output, javascript, allow, **attack.flags)
    name = exporters.command_of(attack.kind)
    program = _SCRIPTS / f"{name}.py" if checked else _unchecked(run, name)
    tests = {} if checked else {"PYTHONPATH": exporters.PYTHONPATH}
    command = [exporters.python(attack.environment), *through, program, *flags]
    outcome = exporters.run(command, run, limit, **{**tests, **variables})
    return verdict(place, outcome, output, checked), outcome


def _unchecked(run, name):
    """Return a script of a command's name that runs it without its checks."""
    path = run / f"{name}.py"
    path.write_text(
        f'import runpy, sys\n\nsys.argv[1:1] = ["{name}"]\nrunpy.run_module("attacks.unchecked", run_name="__main__")\n'
    )
    return path


def card(folder, attack, limit=LIMIT):
    """Return the verdict of planning with a card in the catalogue, which must be refused."""
    place, run, output = _fresh(folder, attack, "checked")
    clone = run / "clone"
    (clone / "models").mkdir(parents=True)
    for name in (
        "Snakefile",
        "config.yaml",
        "artifacts.lock",
        "envs",
        "rules",
        "scripts",
        "starter",
        "datasets",
        "web",
    ):
        (clone / name).symlink_to(exporters.REPOSITORY / name)
    for path in (exporters.REPOSITORY / "models/digits_slim.yaml", place.source / attack.flags["file"]):
        shutil.copy(path, clone / "models")
    command = [sys.executable, "-m", "snakemake", "-n", "--snakefile", clone / "Snakefile", "--directory", output]
    command += ["--configfile", clone / "config.yaml", "--workflow-profile", clone / "profiles/default"]
    (clone / "profiles").symlink_to(exporters.REPOSITORY / "profiles")
    target = f"sources/{attack.flags['file'].removesuffix('.yaml')}"
    outcome = exporters.run([*command, "--config", "models=[digits_slim]", "--", target], run, limit)
    found = verdict(place, outcome, output)
    return "escaped" if found == "harmless" else found, outcome


def archive(folder, attack, limit=LIMIT):
    """Return the verdict of fetching and unpacking an archive."""
    place, run, output = _fresh(folder, attack, "checked")
    path = place.source / "model.tar.gz"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    entry = {"name": "model.tar.gz", "urls": [str(path)], "sha256": digest, "unpack": {}}
    outcome = _fetch(run, output, entry, limit)
    return verdict(place, outcome, output), outcome


def server(folder, attack, limit=LIMIT):
    """Return the verdict of fetching from a hostile server and, when that fails, from a good one."""
    place, run, output = _fresh(folder, attack, "checked")
    with contextlib.ExitStack() as stack:
        bad, right = (stack.enter_context(servers.Server(each)) for each in (attack.flags["answer"], servers.good))
        mirror = attack.flags.get("mirror")
        urls = [f"{each.url}/file" for each in ((right,) if mirror else (bad, right))]
        entry = {"name": "file", "urls": urls, "sha256": hashlib.sha256(servers.GOOD).hexdigest()}
        outcome = _fetch(run, output, entry, limit, ZOOMILL_MIRRORS=bad.url if mirror else "")
    found = verdict(place, outcome, output)
    return "escaped" if "\x1b" in outcome.log else found, outcome


def _fetch(run, output, entry, limit, **variables):
    flags = ["--model", "hostile", "--files", json.dumps([entry]), "--cache", run / "cache", "--lock", run / "lock"]
    command = [exporters.python("base"), _SCRIPTS / "fetch_source.py", *flags, "--output", output / "hostile"]
    return exporters.run(command, run, limit, **variables)


def _fresh(folder, attack, name):
    """Return the place of an attack and two new folders: of a run and of its output; old markers are removed."""
    place = place_of(folder, attack)
    for path in place.outside.glob("marker*"):
        shutil.rmtree(path) if path.is_dir() else os.unlink(path)
    run = place.folder / name
    shutil.rmtree(run, ignore_errors=True)
    output = run / "output"
    output.mkdir(parents=True)
    return place, run, output
