"""Reading what Snakemake says it would do."""

import re


def planned(process):
    """Return ``{rule: number of jobs}`` of a dry run, `all` excepted."""
    if "Nothing to be done" in process.stdout:
        return {}
    table = process.stdout.partition("Job stats:")[2].partition("\ntotal ")[0]
    counts = {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}
    counts.pop("all", None)
    return counts


def commands(process):
    """Return the sorted shell commands of a dry run with ``-p``; all params and inputs stand in them."""
    blocks = re.findall(r"^ +python .*(?:\n +.*\S.*)*", process.stdout, re.MULTILINE)
    return sorted(re.sub(r" +", " ", block).strip() for block in blocks)


def errors(process):
    """Return the lines of a failed run that tell the user what is wrong; there is no traceback."""
    assert process.returncode != 0, process.stdout
    assert "Traceback" not in process.stdout, process.stdout
    return [line for line in process.stdout.splitlines() if line.startswith("error: ")]
