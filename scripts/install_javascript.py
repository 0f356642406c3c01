"""Install what runs TensorFlow.js models: single files of the JavaScript packages of a committed lock, and Node."""

import argparse
import os

from zoomill import command, files, made, sandbox
from zoomill.errors import UserError
from zoomill.fetch import npm
from zoomill.plan import javascript


def main(argv=None):
    """Write the files under their paths, and a link to the Node of this environment; the packages are removed again."""
    parser = argparse.ArgumentParser(description=__doc__)
    npm.add_lock(parser)
    parser.add_argument("--files", nargs="+", required=True, help="paths under node_modules")
    parser.add_argument("--output-dir", type=made.output_folder, required=True)
    args = command.parse(parser, argv)
    with npm.installed(args.lock, "--omit=optional") as packages:
        for name in args.files:
            if not os.path.isfile(os.path.join(packages, name)):
                raise UserError(f"{args.lock}: its packages hold no {name}")
            with open(os.path.join(packages, name), "rb") as file:
                files.write_bytes(os.path.join(args.output_dir, name), file.read())
    with files.written(os.path.join(args.output_dir, javascript.PROGRAM)) as link:
        os.symlink(npm.node(), link)


if __name__ == "__main__":
    command.run(main, network=sandbox.ANY)
