"""Write the card of a model from its files: what they tell, and what they leave open as questions."""

import itertools
import os
import re
import tempfile
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from zoomill import files
from zoomill.errors import UserError
from zoomill.fetch.expected_file import is_url
from zoomill.plan import cards, commands, interface, labels_and_licence, model_files
from zoomill.plan.card_text import comment, licence, pair, title, value

# Names of files that say nothing of the model; their folder's does.
_PLAIN = {"model", "saved_model", "frozen_inference_graph", "pipeline", "frozen_graph", "weights", "variables"}
# Keys of `source` that name files.
_PLACES = {"path", "graph", "checkpoint", "config", "weights"}
_MAGIC = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")


def write(place, name, force, root, schema, folder=None):
    """Write ``<name>.yaml``, the card of a model, and return its path.

    Args:
        place: path of a file, an archive or a folder, or a URL of a file or an archive.
        name: of the model, None to take the files'.
        force: whether a card of this name is overwritten.
        root: folder of the repository.
        schema: of a card.
        folder: where to write it; models/ of the repository without.

    Raises:
        UserError: when it is no model that can be told, or there is a card of this name.
    """
    name, own = name or name_of(place), os.path.join(root, "models")
    target, *others = (os.path.join(one, f"{name}.yaml") for one in dict.fromkeys([folder or own, own]))
    for path in (target, *others):
        if os.path.exists(path) and (path in others or not force):
            overwrite = "" if path in others else ", or overwrite it with --force"
            raise UserError(f"{cards.address(path, root)}: is there already; give another --name{overwrite}")
    if os.path.exists(os.path.join(root, f"datasets/{name}.yaml")):
        raise UserError(f"datasets/{name}.yaml: a data set has this name; give another --name")
    with tempfile.TemporaryDirectory() as temporary:
        model, entries = _found(place, name, root, temporary, folder or root)
        content = _card(model, entries, name, schema)
        checked = Path(temporary, "models")
        checked.mkdir()
        (checked / f"{name}.yaml").write_text(content, encoding="utf-8")
        cards.load_catalogue(checked, schema)[name]
    files.write_bytes(target, content.encode(), recorded=False)
    return target


def name_of(place, taken=()):
    """Return the name that a model's files give it, with a number where it is taken."""
    name = plain_name(_stem(place))
    numbered = (f"{name[:95]}_{number}" for number in itertools.count(2))
    return next(one for one in itertools.chain([name], numbered) if one not in taken)


def plain_name(text):
    """Return a name that a card may have, as near to a text as there is."""
    name = re.sub("[^a-z0-9]+", "_", text.lower()).strip("_")
    return (name if name[:1].isalpha() else f"model_{name}".strip("_"))[:100]


def _stem(place):
    parts = (
        [unquote(part) for part in urlsplit(place).path.split("/")]
        if is_url(str(place))
        else Path(place).absolute().parts
    )
    stems = [re.sub(r"(\.(tar|tgz|gz|bz2|xz|zip|[a-z][a-z0-9]{1,6}))+$", "", part) for part in parts]
    return next((stem for stem in reversed(stems) if stem and stem.lower() not in _PLAIN), "model")


def _found(place, name, root, temporary, folder):
    """Return the :class:`zoomill.plan.model_files.Model` at a place and its files as a card in a folder lists them."""

    def inspect(path, weights=None):
        return commands.inspect(root, path, weights)

    remote, digests = is_url(str(place)), {}
    if remote:
        path, digests = _download(place, name, root, temporary, inspect)
    elif not os.path.exists(place):
        raise UserError(f"{place}: there is no such file or folder")
    else:
        path = Path(place).absolute()

    def entry(file, seen):
        if not remote:  # it has no digest: whatever stands there when it is built is the model
            return {"name": seen, "urls": [cards.address(file, folder)]}
        return _entry(file, seen, place if seen == path.name else urljoin(str(place), seen), digests)

    if not _is_archive(path):
        model = model_files.find(path, inspect)
        return model, [entry(model.folder / file, file) for file in model.names]
    packed = entry(path, path.name)
    inside, strip = _unpacked(path, packed, name, root, temporary)
    model = model_files.find(inside, inspect)
    around = model.folder.relative_to(inside)
    for key in model.source.keys() & _PLACES:
        model.source[key] = os.path.normpath(around / model.source[key])
    return model, [packed | {"unpack": {"strip": strip} if strip else {}}]


def _unpacked(path, packed, name, root, folder):
    """Return the first folder of an archive with more than a folder in it, and how many are around it."""
    target = os.path.join(folder, "unpacked")
    os.mkdir(target)
    inside, strip = Path(commands.fetch(root, name, [packed | {"urls": [str(path)], "unpack": {}}], target)[0]), 0
    while len(only := list(inside.iterdir())) == 1 and only[0].is_dir():
        inside, strip = only[0], strip + 1
    return inside, strip


def _download(url, name, root, folder, inspect):
    """Fetch a file and those that it names; return its path and what sizes and digests were found."""
    file = os.path.basename(unquote(urlsplit(url).path)) or "model"
    wanted = [file]
    while True:
        entries = [{"name": one, "urls": [url if one == file else urljoin(url, one)], "digest": None} for one in wanted]
        output, digests = commands.fetch(root, name, entries, folder)
        path = Path(output, file)
        if len(wanted) > 1 or path.suffix not in (".json", ".onnx", ".cfg"):
            return path, digests
        wanted = [file, *inspect(path)["files"]]
        if len(wanted) == 1:
            return path, digests


def _is_archive(path):
    if path.is_dir():
        return False
    with open(path, "rb") as file:
        start = file.read(262)
    return start.startswith(_MAGIC) or start[257:] == b"ustar" or start[:2] == b"PK" and path.suffix.lower() == ".zip"


def _entry(path, name, url, digests):
    known = digests.get(name) or {"size": os.path.getsize(path), "sha256": files.digest(path)}
    return {"name": name, "urls": [url], "size": known["size"], "sha256": known["sha256"]}


def _card(model, entries, name, schema):
    """Return the text of a card."""
    options, inputs, outputs, questions = interface.describe(model)
    questions = {**model.questions, **questions}
    task = "object-detection" if model.source["kind"] == "tf1_detection" else "other"
    tasks = ", ".join(schema["properties"]["task"]["enum"])
    text = [title(name)]
    text += [*comment(f"task: one of {tasks}"), pair("task", task), *licence(model.folder)]
    text += [*comment("homepage: the address where the model is described, if there is one"), "source:"]
    for key, said in {**model.source, **options}.items():
        text += [f"  {line}" for line in [*comment(questions.pop(key, "")), pair(key, said)]]
    text += [*(f"  {line}" for line in comment(questions.get("files", ""))), "  files:"]
    for entry in entries:
        lines = [pair(*one) for one in entry.items()]
        text += [f"    {'  ' if place else '- '}{line}" for place, line in enumerate(lines)]
    for key, side in (("inputs", inputs), ("outputs", outputs)):
        text += [*comment(questions.get(key, "")), *([f"{key}:"] if side else [])]
        for entry, asked in side:
            text += [f"  {line}" for question in asked for line in comment(question)]
            text.append(f"  - {value(entry)}")
    return "\n".join([*text, *_labels(model), *_SAMPLES]) + "\n"


# What a card says of samples, which no model file tells.
_SAMPLES = (
    "# calibration: samples that set the ranges of int8 variants, of a card in datasets/ (./zoomill new-dataset FOLDER",
    "# makes one): {dataset: NAME, samples: {every: 10}}",
    "# evaluation: other samples and a metric: {dataset: NAME, samples: {…}, metric: {name: top_k}}",
)


def _labels(model):
    numbers = labels_and_licence.classes(model)
    file, found, offset = labels_and_licence.labels(model.folder, numbers)
    if found:
        moved = [pair("label_offset", offset)] if offset else []
        return [*comment(f"told from {file}"), pair("labels", found), *moved]
    many = " or ".join(map(str, sorted(numbers)))
    wrong = f"; {file} has another number of them" if file else ""
    if model.source["kind"] in ("darknet", "tf1_detection") and many or file:
        return comment(f"labels: names of its {many or 'unknown number of'} classes, without the background{wrong}")
    return comment("labels: names of its classes, without the background, if it has any")
