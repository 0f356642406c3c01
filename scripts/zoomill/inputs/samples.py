"""Lists of samples with digests, and choosing from them. Needs the standard library only, but for drawing.

A data set is a card, ``datasets/<name>.yaml``, and an index beside it, ``<name>.csv``: name, bytes, sha256 and label of
each sample, in a fixed order. A sample list is a part of an index, in the same form.
"""

import csv
import dataclasses
import io
import re

from zoomill.errors import UserError

COLUMNS = ("name", "bytes", "sha256", "label")
# What the names of samples end with, in small letters, that are JPEG files.
JPEG = (".jpg", ".jpeg")
# A path inside the data set's folder that no spreadsheet takes for a formula.
_PATH = r"(?![-=+@~/])(?!(?:.*/)?\.\.(?:/|$))[^\\]{1,1000}"
_FORMS = (_PATH, "[0-9]{1,15}", "[0-9a-f]{64}", rf"[-+.eE0-9 ]*|{_PATH}")


@dataclasses.dataclass(frozen=True)
class Sample:
    """One file of a data set.

    Attributes:
        name: path below the data set's folder.
        bytes: its size.
        sha256: its digest.
        label: what the index says of it, as text: a class number, coordinates, the name of a target file, or nothing.
    """

    name: str
    bytes: int
    sha256: str
    label: str


def read_index(path):
    """Read an index or a sample list.

    Raises:
        UserError: when it is no such list, or has a name twice.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            if tuple(next(reader, ())) != COLUMNS:
                raise UserError(f"{path}: its columns must be {', '.join(COLUMNS)}")
            samples = [_sample(row, path, reader.line_num) for row in reader if row]
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path}: is no CSV file in UTF-8: {error}") from error
    names = {sample.name for sample in samples}
    if len(names) < len(samples):
        raise UserError(f"{path}: has a name twice")
    return samples


def _sample(row, path, line):
    """Return a row of a list of samples."""
    wrong = [name for name, form, cell in zip(COLUMNS, _FORMS, row, strict=False) if not _is(form, cell)]
    if wrong or len(row) != len(COLUMNS):
        problem = f"its {wrong[0]} cannot be one" if wrong else f"there are {len(row)} columns"
        raise UserError(f"{path}: {problem}, line {line}")
    name, size, sha256, label = row
    return Sample(name, int(size), sha256, label)


def _is(form, cell):
    return cell.isprintable() and re.fullmatch(form, cell)


def index_text(samples):
    """Return a sample list as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *map(dataclasses.astuple, samples)])
    return text.getvalue()


def choose(samples, chosen):
    """Return the chosen part of an index, as a list.

    Args:
        samples: :class:`Sample` list, a whole index.
        chosen: ``all``; or a mapping with one of ``names``; ``indices``, in their order; ``first`` and ``last``, which
            both count; ``every``, each n-th; ``count`` and ``seed``, drawn without repetition and kept in the index's
            order (``RandomState``: its stream is frozen).

    Raises:
        UserError: when it names what is not there, or nothing.
    """
    if chosen == "all":
        return list(samples)
    if "names" in chosen:
        known = {sample.name: sample for sample in samples}
        if unknown := [name for name in chosen["names"] if name not in known]:
            raise UserError(f"there is no sample {unknown[0]}")
        return [known[name] for name in chosen["names"]]
    if "indices" in chosen:
        if over := [index for index in chosen["indices"] if index >= len(samples)]:
            raise UserError(f"there is no sample {over[0]}; the data set has {len(samples)}")
        return [samples[index] for index in chosen["indices"]]
    if "every" in chosen:
        return samples[:: chosen["every"]]
    if "count" in chosen:
        if chosen["count"] > len(samples):
            raise UserError(f"{chosen['count']} samples are asked for; the data set has {len(samples)}")
        import numpy as np

        drawn = np.random.RandomState(chosen["seed"]).permutation(len(samples))[: chosen["count"]]
        return [samples[index] for index in sorted(drawn)]
    return samples[chosen["first"] : chosen["last"] + 1]


def overlap(first, second):
    """Return a name of the first list whose content the second has too, or None."""
    known = {sample.sha256 for sample in second}
    return next((sample.name for sample in first if sample.sha256 in known), None)
