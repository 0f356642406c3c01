"""Write the card and the index of a data set from the folder of its samples."""

import itertools
import os
import tempfile
from pathlib import Path

from zoomill import files
from zoomill.errors import UserError
from zoomill.inputs import samples
from zoomill.plan import cards
from zoomill.plan.card_text import comment, licence, pair, title
from zoomill.plan.cards import address
from zoomill.plan.new_card import plain_name

_READERS = {
    "picture": (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"),
    "npy": (".npy",),
}
# More samples hardly move the ranges of a calibration.
_MOST_CALIBRATION = 200


def write(folder, name, force, root, schema):
    """Write ``datasets/<name>.yaml`` and ``.csv`` and return lines that say what a model's card may say of them.

    Args:
        folder: of pictures or .npy files, in one folder for each class, or all in one without classes.
        name: of the data set, None to take the folder's.
        force: whether a card of this name is overwritten.
        root: folder of the repository.
        schema: of a data set's card.

    Raises:
        UserError: when it holds no samples, or of several kinds, or there is a card of this name.
    """
    folder = Path(folder).absolute()
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder")
    name = name or plain_name(folder.name)
    target = os.path.join(root, f"datasets/{name}")
    if os.path.exists(f"{target}.yaml") and not force:
        raise UserError(f"datasets/{name}.yaml: is there already; give another --name, or overwrite it with --force")
    if os.path.exists(os.path.join(root, f"models/{name}.yaml")):
        raise UserError(f"models/{name}.yaml: a model has this name; give another --name")
    reader, found = _samples(folder)
    classes = _classes(found)
    listed, twice = _index(folder, found, classes)
    advice = _advice(name, len(listed), bool(classes))
    contents = {
        f"{name}.yaml": _card(folder, name, root, reader, classes, advice),
        f"{name}.csv": samples.index_text(listed),
    }
    with tempfile.TemporaryDirectory() as checked:
        for file, text in contents.items():
            Path(checked, file).write_text(text, encoding="utf-8")
        cards.load_datasets(checked, schema)
        samples.read_index(os.path.join(checked, f"{name}.csv"))
    for file, text in contents.items():
        files.write_bytes(os.path.join(root, "datasets", file), text.encode(), recorded=False)
    said = [f"left out: {one} is the same as {other}" for one, other in twice]
    return [*said, f"wrote datasets/{name}.yaml and datasets/{name}.csv, {len(listed)} samples", *advice]


def _samples(folder):
    """Return the reader of a folder's files and their names, seen from there."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    found = {reader: [name for name in names if name.lower().endswith(ends)] for reader, ends in _READERS.items()}
    kinds = [reader for reader, some in found.items() if some]
    if len(kinds) != 1:
        held = "holds both pictures and .npy files" if kinds else "holds neither pictures nor .npy files"
        raise UserError(f"{folder}: {held}; give a folder of one kind of samples")
    return kinds[0], found[kinds[0]]


def _classes(names):
    """Return the names of classes in their order, none where samples do not stand in a folder for each."""
    folders = [name.rpartition("/")[0] for name in names]
    found = set(folders)
    if len(found) < 2 or any(not one or "/" in one for one in found):
        return []
    return sorted(found, key=lambda one: (int(one) if one.isdecimal() else -1, one))


def _index(folder, names, classes):
    """Return the samples, one of each class in turn and by digests within, and pairs of names with the same content.

    Any part of such an index is a fair one.
    """
    entries = sorted((files.digest(folder / name), name) for name in names)
    first = {}
    for digest, name in entries:
        first.setdefault(digest, name)
    twice = [(name, first[digest]) for digest, name in entries if first[digest] != name]
    by_class = {one: [] for one in classes or [""]}
    for digest, name in first.items():
        one = name.rpartition("/")[0] if classes else ""
        label = str(classes.index(one)) if classes else ""
        by_class[one].append(samples.Sample(name, os.path.getsize(folder / name), digest, label))
    turns = itertools.zip_longest(*by_class.values())
    return [sample for turn in turns for sample in turn if sample], twice


def _advice(name, number, labelled):
    """Return what a model's card may say of the data set: lists that share nothing."""
    half = min(number // 2, _MOST_CALIBRATION)
    if not half:
        return []
    metric = ", metric: {name: top_k}" if labelled else ", metric: {name: …}"
    return [
        f"calibration: {{dataset: {name}, samples: {{first: 0, last: {half - 1}}}}}",
        f"evaluation: {{dataset: {name}, samples: {{first: {half}, last: {number - 1}}}{metric}}}",
    ]


def _card(folder, name, root, reader, classes, advice):
    form = {"reader": reader, "label": "class" if classes else "none"}
    text = [title(name), *licence(folder)]
    text += comment("homepage: the address where the data are described, if there is one")
    text += [pair("urls", [f"{address(folder, root)}/{{name}}"])]
    if not classes:
        told = (
            "the column `label` of the .csv has class numbers (class), coordinates (values) or a file's name (target)"
        )
        text += comment(f"label: none tells nothing of a sample; another where {told}; boxes are `annotations`")
    text += [pair("form", form), *([pair("labels", classes)] if classes else [])]
    if advice:
        text += comment("For the card of a model, lists that share nothing:")
    return "\n".join([*text, *(f"# {line}" for line in advice)]) + "\n"
