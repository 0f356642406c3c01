"""What a detector's network gave on samples, kept for the files that are this network with one operator behind it.

A ZIP of arrays, ``<row>/<place among the outputs>``, and of ``of.json``: what was run, and how many rows there are.
Rows are written and read one at a time, as those of COCO take 0.7 MB each.
"""

import contextlib
import itertools
import json
import zipfile

import numpy as np

from zoomill import files

_OF = "of.json"


@contextlib.contextmanager
def keeping(path, run, of):
    """Yield ``run`` so that what it returns is kept, in the order of its calls.

    Args:
        path: of the file, written when all went well.
        run: function from ``{input tensor: array}`` to ``{output name: array}``.
        of: what is run, JSON values; None where nothing is kept, as not all samples will be run in their order.
    """
    with files.written(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        rows = itertools.count()

        def kept(feed):
            found, row = run(feed), next(rows)
            for place, array in enumerate(found.values()):
                with archive.open(zipfile.ZipInfo(f"{row}/{place}"), "w") as member:
                    np.lib.format.write_array(member, array)
            return found

        yield kept if of else run
        archive.writestr(zipfile.ZipInfo(_OF), json.dumps({"of": of, "rows": next(rows)}, sort_keys=True))


class Kept:
    """A file of :func:`keeping`, to be read row by row.

    Attributes:
        of: what was run.
        rows: how many times.
    """

    def __init__(self, path):
        self._archive = zipfile.ZipFile(path)
        said = json.loads(self._archive.read(_OF))
        self.of, self.rows = said["of"], said["rows"]

    def row(self, row, outputs):
        """Return the arrays of a row, one for each of so many outputs."""
        return [self._array(f"{row}/{place}") for place in range(outputs)]

    def _array(self, name):
        with self._archive.open(name) as member:
            return np.lib.format.read_array(member)
