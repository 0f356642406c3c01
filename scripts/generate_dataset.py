"""Make the samples of a data set of this repository and check them against its index."""

import argparse
import os
import subprocess
import sys

from zoomill import command, files, folders, made
from zoomill.errors import UserError
from zoomill.inputs import samples


def main(argv=None):
    """Run the generator; nothing stays of samples that differ from the index."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--module", required=True, help="Python module, run with --output FOLDER")
    parser.add_argument("--root", type=made.unchecked, required=True, help="folder of the repository")
    parser.add_argument("--index", type=made.unchecked, required=True, help="CSV with the digests of the samples")
    parser.add_argument("--output", type=made.output, required=True)
    args = command.parse(parser, argv)
    with folders.written(args.output) as folder:
        generator = [sys.executable, "-m", args.module, "--output", os.path.abspath(folder)]
        process = subprocess.run(generator, cwd=args.root or ".", check=False, stderr=subprocess.PIPE, text=True)
        if process.returncode:
            why = process.stderr.strip().rpartition("\n")[2] or f"exit status {process.returncode}"
            raise UserError(f"{args.dataset}: {args.module} failed: {why}")
        for sample in samples.read_index(args.index):
            path = os.path.join(folder, sample.name)
            if not os.path.exists(path) or files.digest(path) != sample.sha256:
                raise UserError(
                    f"{args.dataset}: {args.module} made another {sample.name} than {args.index} lists; "
                    "make the index anew if the module was changed on purpose"
                )


if __name__ == "__main__":
    command.run(main)
