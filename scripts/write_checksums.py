"""Write the SHA-256 digests of all artifacts, as ``sha256sum`` does."""

import argparse
import os

from zoomill import command, escape, files, folders, made


def main(argv=None):
    """Write one line for each artifact, or file inside, relative to the folder of ``--output``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifacts", type=made.checked, nargs="+", required=True)
    parser.add_argument("--output", type=made.output, required=True, help="check it with `sha256sum -c` in its folder")
    args = command.parse(parser, argv)
    folder = os.path.dirname(args.output)
    paths = [member for path in args.artifacts for member in folders.members(path)]
    digests = {os.path.relpath(path, folder): files.digest(path) for path in paths}
    text = "".join(escape.checksum(digest, name) for name, digest in sorted(digests.items()))
    files.write_bytes(args.output, text.encode())


if __name__ == "__main__":
    command.run(main)
