"""Why a file can be had or not, from what it is made, and what a run would do about it: as Snakemake sees it."""

import os
import re
import subprocess
import sys

from zoomill.errors import UserError
from zoomill.printable import printable

_NODE = re.compile(r'^\s*(\d+)\[label = "(\w+)', re.MULTILINE)
_EDGE = re.compile(r"^\s*(\d+) -> (\d+)", re.MULTILINE)
_JOB = re.compile(r"^ *(?:local)?rule (\w+):\n((?: +\w+: .*\n)+)", re.MULTILINE)
# Of a reason, what only follows from other jobs, and where values of params begin.
_FOLLOWS, _DETAILS = "Input files updated by another job", ": Union of exclusive params"
_LONGEST = 200


def explain(target, house, configuration=()):
    """Return lines that answer for a target.

    Args:
        target: a path as on the command line of Snakemake.
        house: :class:`zoomill.plan.house.House`; the working directory is the folder of the run.
        configuration: flags of Snakemake that name more of it.

    Raises:
        UserError: when it cannot be had, with the reason.
    """
    main, others = chain(*_graph(_snakemake(house, target, "--dag", "dot", *configuration)))
    causes, following = jobs(_snakemake(house, target, "-n", *configuration))
    lines = [printable(target), *_row("made from", _sources(target, house)), *_row("made by", [" → ".join(main)])]
    lines += _row("needs too", [", ".join(others)] if others else [])
    there = "yes" if os.path.exists(target) else "no"
    lines += _row("is there", ["yes, and up to date" if there == "yes" and not causes else there])
    lines += _row("to be run", [f"{rule}: {reason}" for rule, reason in causes])
    return lines + _row("and then", [", ".join(following)] if following else [])


def _row(title, values):
    return [f"  {title if not place else '':10}  {printable(value)}" for place, value in enumerate(values)]


def _sources(target, house):
    """Return where the files of a target's model come from."""
    parts = os.path.normpath(target).split(os.sep)
    card = house.catalogue.get(parts[1]) if len(parts) > 1 else None
    if card is None:
        return []
    files = [file for file in card["source"]["files"] if file["name"] not in card["golden"]]
    return [f"{card['source']['kind']}: {file['urls'][0]}" for file in files]


def _snakemake(house, *arguments):
    """Return what Snakemake prints of a target without running anything."""
    program = os.path.join(os.path.dirname(sys.executable), "snakemake")
    snakefile = os.path.join(house.root, "Snakefile")
    command = [program, *arguments, "--snakefile", snakefile, "--workflow-profile", f"{house.root}/profiles/default"]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:
        said = (process.stdout + process.stderr).splitlines()
        told = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
        missing = [line.strip() for line in said if "No rule to produce" in line or "Exception" in line]
        raise UserError((told or missing[-1:] or said[-1:] or ["Snakemake fails"])[0])
    return process.stdout + process.stderr


def _graph(text):
    """Return ``{number: rule}`` and ``[(before, after)]`` of Snakemake's picture of the jobs."""
    return dict(_NODE.findall(text)), _EDGE.findall(text)


def chain(rules, edges):
    """Return the rules on the longest way to a target, and those that it needs besides.

    Args:
        rules: ``{job: rule}``.
        edges: ``[(job before, job after)]``, without circles.
    """
    before = {job: [first for first, second in edges if second == job] for job in rules}
    longest = {}

    def way(job):
        if job not in longest:
            longest[job] = max(([*way(one), job] for one in before[job]), key=len, default=[job])
        return longest[job]

    (last,) = rules.keys() - {first for first, _ in edges}
    main = [rules[job] for job in way(last)]
    return main, sorted(set(rules.values()) - set(main))


def jobs(text):
    """Return ``[(rule, reason)]`` of a dry run, and the rules that are only to be run since others are."""
    causes, following = [], []
    for rule, block in _JOB.findall(text):
        reason = re.search(r"^ +reason: (.*)$", block, re.MULTILINE)
        told = reason[1].partition(_DETAILS)[0] if reason else ""
        parts = [part for part in told.split("; ") if part and not part.startswith(_FOLLOWS)]
        if parts:
            causes.append((rule, printable("; ".join(parts), _LONGEST)))
        else:
            following.append(rule)
    return causes, list(dict.fromkeys(following))
