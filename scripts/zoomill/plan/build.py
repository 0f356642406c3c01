"""What `zoomill build MODEL VARIANT…` names: the files of artifacts, and why others are left out."""

import fnmatch
import os

from zoomill.errors import UserError
from zoomill.plan import targets, variants
from zoomill.plan.artifact_name import ENDS, ArtifactName
from zoomill.plan.names import is_pattern, require, select
from zoomill.plan.wanted import Wanted


def files(model, chosen, house):
    """Return the files to build, and a line for each thing that is left out.

    Args:
        model: name of a model, or a pattern of names.
        chosen: variants as paths name them, ``int8`` of TFLite or ``uint8.tfjs``, or patterns of these; empty for what
            the configuration asks for.
        house: :class:`zoomill.plan.house.House`.

    Raises:
        UserError: for a name that does not exist, or names nothing that can be had.
    """
    rows = [row for name in chosen for row in _rows(name)]
    loose = model == "all" or is_pattern(model) or any(map(is_pattern, chosen))
    artifacts, refused, lines = [], [], []
    found, broken = house.catalogue.read(select([model], house.catalogue, "build", "model"))
    if model in broken:
        raise broken[model]
    lines += [f"left out: {error}" for error in broken.values()]
    for name, card in found.items():
        if not chosen:
            artifacts += _configured(name, house)
            lines += _lacking(name, house)
        for row in dict.fromkeys((row.format, row.name) for row in rows):
            found, reasons = _of_row(name, card, *row)
            if not found and not loose:
                raise UserError(f"{reasons[0][0]}: cannot be had: {reasons[0][1]}")
            artifacts += found
            refused += reasons
    if not artifacts:
        raise UserError(
            f"{model}: nothing of it can be had" + (f": {refused[0][1]}" if refused else " or is asked for")
        )
    paths = [path for name in artifacts for path in _files(name, house)]
    lines += [f"left out: {name}: {reason}" for name, reason in refused]
    return list(dict.fromkeys(paths)), lines


def known(path, house):
    """Return the model whose card names a file, or a file in a folder, as its source, or None."""
    own = os.path.abspath(path)
    for model, card in house.catalogue.read()[0].items():
        urls = [url for file in card["source"]["files"] for url in file["urls"]]
        for url in urls:
            place = os.path.normpath(os.path.join(house.root, url))
            if url == path or place == own or place.startswith(f"{own}/") or fnmatch.fnmatchcase(own, place):
                return model
    return None


def _rows(name):
    """Return the rows of the table that a variant's name, or a pattern, stands for."""
    called = {f"{row.name}.{row.format}": row for row in variants.TABLE}
    called |= {row.name: row for row in variants.rows(format="tflite")}
    if is_pattern(name) and (found := fnmatch.filter(called, name)):
        plain = "." not in name
        return [called[one] for one in found if not plain or "." not in one]
    require(name, called, "build", "variant")
    return [called[name]]


def _of_row(model, card, form, variant):
    """Return the artifacts of a variant that a model can have, and ``[(artifact, reason)]`` of its other graphs."""
    more = ("inference", "layers") if form == "tfjs" else ()
    names = [ArtifactName(model, graph, variant, form) for graph in (*card["graphs"], *more)]
    reasons = {name: targets.why_not(card, name) for name in names}
    found = [name for name in names if not reasons[name]]
    return found, [(name, reasons[name]) for name in names if reasons[name] and name.graph not in more]


def _configured(model, house):
    """Return the artifacts of a model that the configuration asks for."""
    found = Wanted(house.config, house.catalogue).artifacts(models=[model])
    layers = house.config["tfjs"] and house.catalogue[model]["tfjs"]["layers"]
    return found + ([ArtifactName(model, "layers", "float32", "tfjs")] if layers else [])


def _lacking(model, house):
    """Return a line for each thing that a model's card could say, with what the configuration asks for and needs it."""
    card, lacking = house.catalogue[model], {}
    for name in house.config["tflite"]:
        missing = [need for need in variants.row("tflite", name).needs if not targets.has(card, need)]
        # That a source is of another kind is nothing to add.
        if missing not in ([], ["pytorch"]) and name in targets.delivered(card):
            lacking.setdefault(missing[0], []).append(name)
    lines = [
        f"left out: {model}: {', '.join(names)}: {targets.NEEDS[need]}; add it to {card['file']}"
        for need, names in lacking.items()
    ]
    return lines + [
        f"not known: {model}: {one['name']}: its card says no `value_range`, so it is compared on patterns between -1 "
        f"and 1; if it is a picture, add what 0 and 255 become to {card['file']}"
        for one in ([] if "evaluation" in card or card["golden"] else card["inputs"])
        if len(one.get("shape", ())) == 4 and one.get("dtype") == "float32" and "value_range" not in one
        if card["source"]["kind"] != "tflite"  # which has it, where it has integers
    ]


def _files(name, house):
    """Return an artifact and its evidence."""
    if name.graph == "layers":  # compared with its source when it was made
        return [str(name)]
    measured = (
        house.config["evaluate"] and "evaluation" in house.catalogue[name.model] and "metric" in ENDS[name.format]
    )
    return [name.file(what) for what in ("artifact", "evidence", *(["metric"] if measured else []))]
