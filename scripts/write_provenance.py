"""Write where the artifacts of a model come from: what was really read, parameters, code and environments.

The file has no time stamps and no paths of the machine, so that it is the same in every run on the same machine.
"""

import argparse
import json
import os
import re

from zoomill import command, files, folders, made
from zoomill.code_files import code_files
from zoomill.errors import UserError
from zoomill.yaml_file import load_yaml

# TOCO writes the options of TFLite_Detection_PostProcess in the order of a hash map; finish_toco sorts them.
_UNSTABLE = "run_toco"


def main(argv=None):
    """Write the provenance of one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--artifacts", type=made.unchecked, nargs="+", required=True)
    parser.add_argument("--goldens", type=made.unchecked, nargs="*", default=[], help="golden.npz of their graphs")
    parser.add_argument("--source", required=True, help="folder of the model's source")
    parser.add_argument("--cache", required=True, help="folder of the downloads")
    parser.add_argument(
        "--makers",
        type=json.loads,
        required=True,
        help='JSON object: {command: {"script": path, "beside": [path], "environment": [path]}}',
    )
    parser.add_argument("--parameters", required=True, help="JSON object")
    parser.add_argument("--root", type=made.unchecked, required=True, help="folder of the repository")
    parser.add_argument("--output", type=made.output, required=True)
    made.unchecked(os.curdir)  # the records lead to whatever was made here
    args = command.parse(parser, argv)
    lineage = made.Lineage(args.cache)
    wrong = {}
    for path in (*args.artifacts, *args.goldens):
        wrong.update(lineage.wrong(path))
    if wrong:
        raise UserError(*wrong.values())
    artifacts = {
        os.path.basename(path): {"sha256": folders.digest(path), "bytes": folders.size(path)} for path in args.artifacts
    }
    provenance = {
        "model": args.model,
        "artifacts": artifacts,
        "read": read(lineage, {os.path.normpath(path) for path in args.artifacts}, args.source),
        "parameters": json.loads(args.parameters),
        **parts([args.makers[by] for by in made_by(lineage, args.makers)], args.root),
        "cpu": {os.path.relpath(path): lineage.records[os.path.normpath(path)]["cpu"] for path in args.goldens},
    }
    files.write_json(args.output, provenance)


def made_by(lineage, commands):
    """Return those of some commands that made something on the way to the artifacts, sorted.

    Raises:
        UserError: when another one did, which is not there any more.
    """
    strange = [path for path, record in sorted(lineage.records.items()) if record["by"] not in commands]
    if strange:
        by = lineage.records[strange[0]]["by"]
        raise UserError(f"{strange[0]}: was made by {by}, which is no command; {made.restore(strange[0])}")
    return sorted({record["by"] for record in lineage.records.values()})


def parts(makers, root):
    """Return digests of the code and the environments of commands, and of environments also their packages."""
    code = sorted({path for maker in makers for path in (*code_files(maker["script"]), *maker["beside"])})
    environments = sorted({path for maker in makers for path in maker["environment"]})
    return {
        "code": {os.path.relpath(path, root): files.digest(path) for path in code},
        "environments": {
            os.path.basename(path): {"sha256": files.digest(path)}
            | ({"packages": packages(path)} if path.endswith(".yaml") else {})
            for path in environments
        },
    }


def read(lineage, artifacts, source):
    """Return ``{path: {"sha256", "by"}}`` of all that was read on the way to the artifacts, the source file by file.

    Downloads have no ``by``. TOCO's raw files are left out, whose bytes differ from run to run.
    """
    found = {os.path.relpath(path): {"sha256": digest} for path, digest in lineage.downloads.items()}
    for path, record in lineage.records.items():
        if path not in artifacts and record["by"] != _UNSTABLE:
            inside = record["files"] if os.path.abspath(path) == os.path.abspath(source) else {"": record["sha256"]}
            for name, digest in inside.items():
                found[os.path.relpath(os.path.join(path, name))] = {"sha256": digest, "by": record["by"]}
    return found


def packages(path):
    """Return ``{package: version}`` of an environment: its pip pins, and its Python."""
    versions = {}
    for entry in load_yaml(path)["dependencies"]:
        for line in entry.get("pip", []) if isinstance(entry, dict) else [entry]:
            name, _, version = re.sub("=+", "=", line).partition("=")
            versions[name.strip()] = version.strip()
    return versions


if __name__ == "__main__":
    command.run(main)
