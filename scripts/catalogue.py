"""Print the catalogue as a table."""

import argparse

from zoomill import command, made, tables
from zoomill.plan import listing


def main(argv=None):
    """Print one row for each card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=made.unchecked, nargs="+", required=True, help="models/*.yaml")
    parser.add_argument("--results", type=made.unchecked, required=True, help="folder of the artifacts")
    args = command.parse(parser, argv)
    print(tables.markdown(listing.rows(listing.models(args.cards, args.results))), end="")


if __name__ == "__main__":
    command.run(main)
