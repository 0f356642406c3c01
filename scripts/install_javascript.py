"""Install the JavaScript packages of a committed lock and keep single files of them."""

import argparse
import os
import shutil
import subprocess
import tempfile

from zoomill import command, files, made, sandbox
from zoomill.errors import UserError
from zoomill.printable import printable


def main(argv=None):
    """Write the files under their paths; the packages themselves are removed again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--lock", type=made.unchecked, required=True, help="package-lock.json, with package.json beside it"
    )
    parser.add_argument("--files", nargs="+", required=True, help="paths under node_modules")
    parser.add_argument("--output-dir", type=made.output_folder, required=True)
    # npm keeps what it has downloaded.
    made.output_folder(os.environ.get("npm_config_cache") or os.path.expanduser("~/.npm"))  # noqa: SIM112
    args = command.parse(parser, argv)
    if not shutil.which("npm"):
        raise UserError("npm is not installed; TensorFlow.js needs Node 18 or newer with npm")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(os.path.dirname(args.lock), name), folder)
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        process = subprocess.run(install, cwd=folder, capture_output=True, text=True, check=False)
        if process.returncode:
            reason = printable((process.stderr.strip() or "npm failed").splitlines()[0], 200)
            raise UserError(f"{args.lock}: its packages cannot be installed: {reason}")
        for name in args.files:
            if not os.path.isfile(os.path.join(folder, "node_modules", name)):
                raise UserError(f"{args.lock}: its packages hold no {name}")
            with open(os.path.join(folder, "node_modules", name), "rb") as file:
                files.write_bytes(os.path.join(args.output_dir, name), file.read())


if __name__ == "__main__":
    command.run(main, network=sandbox.ANY)
