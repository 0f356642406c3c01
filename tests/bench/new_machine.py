"""Measure the way from nothing to a first validated file, with empty caches of packages and then with filled ones.

    .venv/bin/python tests/bench/new_machine.py

prints a Markdown table and the environments that were made. It needs git, make and the package registry.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import yaml
from measure import REPOSITORY, cost

sys.path.insert(0, str(REPOSITORY / "scripts"))

from zoomill import tables  # noqa: E402

TARGET = "results/digits_resnet8/main.float32.tflite.json"


def steps(folder, target):
    """Return ``{step: command line}``, to be run in a clone but for the first."""
    snakemake = [".venv/bin/snakemake", "-j2", target]
    return {
        "clone": ["git", "clone", "--quiet", REPOSITORY, folder],
        "make .venv/complete": ["make", ".venv/complete", f"PYTHON={sys.executable}"],
        "environments": [*snakemake, "--conda-create-envs-only"],
        f"snakemake {target}": snakemake,
    }


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", default=TARGET)
    args = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as temporary:
        caches = {f"{tool}_CACHE_DIR": f"{temporary}/{tool}" for tool in ("PIP", "UV")}
        for caching in ("empty", "filled"):
            folder, prefix = Path(temporary) / caching, Path(temporary) / f"{caching}-environments"
            folder.mkdir()
            for name, command in steps(folder, args.target).items():
                one = cost([command], folder, {**caches, "SNAKEMAKE_CONDA_PREFIX": str(prefix)})
                found.setdefault(name, []).append(one)
                print(caching, name, one, file=sys.stderr, flush=True)
        made = sorted(yaml.safe_load(path.read_text())["name"] for path in prefix.glob("*.yaml"))
    rows = [("step", "s, empty caches", "CPU s", "s, filled caches", "CPU s")]
    for name, costs in found.items():
        rows.append((name, *(f"{seconds:.1f}" for one in costs for seconds in (one.wall, one.cpu))))
    print(tables.markdown(rows))
    print(f"Environments: {', '.join(made)}.")


if __name__ == "__main__":
    main()
