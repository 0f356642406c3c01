"""Install the headless Chromium of a committed lock, for machines that have none."""

import argparse
import os
import shutil
import subprocess

from zoomill import command, folders, made, sandbox
from zoomill.fetch import archives, npm

# What is kept of the package, each packed by Brotli: Chromium, its graphics on the processor, and system libraries.
_PARTS = ("chromium.br", "swiftshader.tar.br", "al2023.tar.br")
_UNPACK = "process.stdin.pipe(zlib.createBrotliDecompress()).pipe(process.stdout)"
_START = '#!/bin/sh\nhere="${0%/*}"\nLD_LIBRARY_PATH="$here/lib" exec "$here/headless_shell" "$@"\n'


def main(argv=None):
    """Write a folder with the program ``chromium`` and all that it needs besides the C library."""
    parser = argparse.ArgumentParser(description=__doc__)
    npm.add_lock(parser)
    parser.add_argument("--output", type=made.output, required=True, help="folder to make")
    args = command.parse(parser, argv)
    with npm.installed(args.lock) as packages, folders.written(args.output) as folder:
        for name in _PARTS:
            unpack(os.path.join(packages, "@sparticuz/chromium/bin", name), folder)
        os.rename(os.path.join(folder, "chromium"), os.path.join(folder, "headless_shell"))
        with open(os.path.join(folder, "chromium"), "w", encoding="utf-8") as script:
            script.write(_START)
        for name in ("chromium", "headless_shell"):
            os.chmod(os.path.join(folder, name), 0o755)


def unpack(path, folder):
    """Put the file, or the members of the archive, that a Brotli file holds into a folder."""
    plain = path.removesuffix(".br")
    with open(path, "rb") as packed, open(plain, "wb") as file:
        subprocess.run([npm.node(), "-e", _UNPACK], stdin=packed, stdout=file, check=True)
    if plain.endswith(".tar"):
        archives.unpack(plain, folder)
    else:
        shutil.move(plain, folder)


if __name__ == "__main__":
    command.run(main, network=sandbox.ANY)
