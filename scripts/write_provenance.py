"""Write where the artifacts of a model come from: source, parameters, code and environments.

The file has no time stamps and no paths of the machine, so that it is the same in every run on the same machine.
"""

import argparse
import json
import os
import platform
import re

from zoomill import command, files, folders
from zoomill.yaml_file import load_yaml

# Instruction sets that kernels choose by; they can change the last digit of a calibration or a golden value.
_CPU_FLAGS = ("avx", "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "fma", "asimd", "amx_tile")


def main(argv=None):
    """Write the provenance of one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--artifacts", nargs="+", required=True)
    parser.add_argument("--code", nargs="+", required=True, help="files of all commands")
    parser.add_argument("--environments", nargs="+", required=True, help="envs/*.yaml and their post-deploy scripts")
    parser.add_argument("--parameters", required=True, help="JSON object")
    parser.add_argument("--root", required=True, help="folder of the repository")
    parser.add_argument("--output", required=True)
    args = parser.parse_args(argv)
    artifacts = {
        os.path.basename(path): {"sha256": folders.digest(path), "bytes": folders.size(path)} for path in args.artifacts
    }
    provenance = {
        "model": args.model,
        "artifacts": artifacts,
        "parameters": json.loads(args.parameters),
        "code": {os.path.relpath(path, args.root): files.digest(path) for path in args.code},
        "environments": {
            os.path.basename(path): {"sha256": files.digest(path)}
            | ({"packages": packages(path)} if path.endswith(".yaml") else {})
            for path in args.environments
        },
        "cpu": cpu(),
    }
    files.write_json(args.output, provenance)


def packages(path):
    """Return ``{package: version}`` of an environment: its pip pins, and its Python."""
    versions = {}
    for entry in load_yaml(path)["dependencies"]:
        for line in entry.get("pip", []) if isinstance(entry, dict) else [entry]:
            name, _, version = re.sub("=+", "=", line).partition("=")
            versions[name.strip()] = version.strip()
    return versions


def cpu():
    """Return the machine's architecture and those of its instruction sets that kernels choose by."""
    features = set()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            found = re.search(r"^(?:flags|Features)\s*:(.*)$", file.read(), re.MULTILINE)
        features = set(found.group(1).split()) if found else set()
    return {"machine": platform.machine(), "features": sorted(features.intersection(_CPU_FLAGS))}


if __name__ == "__main__":
    command.run(main)
