"""The catalogue: one card for each model, checked against its schema."""

import contextlib
import functools
import os
import re
from collections.abc import Mapping

from zoomill.errors import UserError
from zoomill.fetch.expected_file import is_url
from zoomill.inspect.openvino import NO_WAY_BACK
from zoomill.plan import schemas
from zoomill.plan.names import NAME, require
from zoomill.yaml_file import load_yaml

# Folders in build/ that are no model's.
_RESERVED = ("javascript",)

# Options of post-processing that need no TFLite_Detection_PostProcess.
_OF_ANY_DETECTOR = {"nms_score_threshold", "nms_iou_threshold", "max_detections", "best_class"}

# What a TF1 detection checkpoint gives besides the graphs that its card names: the three of the MLPerf recipe.
_DETECTION_GRAPHS = {
    "detect_cut": {"add_postprocessing_op": False},
    "detect_regular": {"use_regular_nms": True},
    "detect_fast": {"use_regular_nms": False},
}


class Catalogue(Mapping):
    """``{model: card}``, sorted; a card is read when it is first asked for, all else looks at the names of files.

    ``catalogue[model]`` raises a UserError for a card that cannot be read.

    Args:
        places: ``{model: where its card is}``.
        read: function from a model to its card, which raises that error.
    """

    def __init__(self, places, read):
        self._places, self._read = places, functools.cache(read)

    def __getitem__(self, model):
        if model not in self._places:
            raise KeyError(model)
        return self._read(model)

    def __contains__(self, model):
        return model in self._places

    def __iter__(self):
        return iter(self._places)

    def __len__(self):
        return len(self._places)

    def read(self, models=None):
        """Return ``{model: card}`` of some models, or all, and ``{model: UserError}`` of cards that cannot be read."""
        found, broken = {}, {}
        for model in self if models is None else models:
            with _kept(broken, found, model):
                found[model] = self[model]
        return found, broken


def load_catalogue(folder, schema, more=(), besides=(), check=lambda card: None):
    """Return the :class:`Catalogue` of some folders.

    A card gets its own path, ``file``, as :func:`address` gives it. The paths of files that it names begin at the
    repository; in a card of ``more`` they begin at its folder, and are changed to begin at the repository.

    Args:
        folder: models/ of the repository.
        schema: of a card.
        more: other folders of cards.
        besides: YAML files in them that are no cards.
        check: called with every card that is read; raises a UserError for one that may not be had.

    Raises:
        UserError: for a folder that is not there.
    """
    root = os.path.dirname(os.path.abspath(folder))
    places = {name: [("models", os.path.join(folder, f"{name}.yaml"))] for name in _names(folder)}
    for other in more:
        if not os.path.isdir(other):
            raise UserError(f"config.yaml: cards: there is no folder {other}")
        for name in _names(other):
            path = os.path.join(other, f"{name}.yaml")
            if os.path.realpath(path) not in map(os.path.realpath, besides):
                places.setdefault(name, []).append((address(other, root), path))

    def read(model):
        where = [f"{shown}/{model}.yaml" for shown, _ in places[model]]
        if len(where) > 1:
            raise UserError(f"{' and '.join(where)}: two cards of one name; rename one")
        ((shown, path),) = places[model]
        card = _card(path, where[0], model, schema)
        if shown != "models":
            _begin_at(root, os.path.dirname(path), card)
        check(card)
        return card

    return Catalogue(dict(sorted(places.items())), read)


def address(path, root):
    """Return a file of this machine as a card names it: from the repository if it is inside, else by its whole path."""
    path, root = os.path.abspath(path), os.path.abspath(root)
    inside = os.path.relpath(path, root)
    if inside.startswith(os.pardir):
        return path
    return f"./{inside}" if inside.startswith("-") else inside


def _begin_at(root, folder, card):
    """Change the relative paths of a card's files, which begin at its folder, into those that begin at ``root``."""
    for file in card["source"]["files"]:
        file["urls"] = [
            url if is_url(url) or os.path.isabs(url) else os.path.relpath(os.path.join(folder, url), root)
            for url in file["urls"]
        ]


def _card(path, where, model, schema):
    """Return a card with all that it leaves out."""
    _check_name(model, where, "model")
    document = load_yaml(path, where)
    _refuse_openvino(document, where)
    card = schemas.check(document, schema, where)
    schemas.fill(card["source"], schema["$defs"][f"source_{card['source']['kind']}"]["properties"])
    schemas.fill(card["tfjs"], schema["properties"]["tfjs"]["properties"])
    if card["source"]["kind"] == "tf1_detection":
        card["graphs"] = _graphs(card.get("graphs", {}))
        _check_graphs(card, where)
    else:
        card["graphs"] = {"main": {}}
    _check_postprocess(card, where)
    _check_tfjs(card, where)
    card.setdefault("c_name", model)
    card["file"] = where
    return card


def _graphs(own):
    """Return a detector's graphs with their options: the usual ones but for those that are ``false``, and its own."""
    kept = {**_DETECTION_GRAPHS, **own}
    return {name: {**_DETECTION_GRAPHS.get(name, {}), **told} for name, told in kept.items() if told is not False}


def _names(folder):
    """Return the names of the cards in a folder, sorted."""
    return sorted(name[: -len(".yaml")] for name in os.listdir(folder) if name.endswith(".yaml"))


def _check_name(name, where, kind):
    """Raise a UserError for a card whose name cannot stand wherever that of a model or data set does."""
    if not re.fullmatch(NAME, name):
        raise UserError(
            f"{where}: the file's name is the {kind}'s: up to 100 small letters, digits and underscores, a letter first"
        )
    if name in _RESERVED:
        raise UserError(f"{where}: {name} is the name of a folder in build/; give the file another one")


@contextlib.contextmanager
def _kept(broken, cards, name):
    """Keep a UserError about a card in ``broken``, if there is one, and take the card out of ``cards``."""
    try:
        yield
    except UserError as error:
        if broken is None:
            raise
        broken[name] = error
        cards.pop(name, None)


def _refuse_openvino(document, path):
    """Raise a UserError for an IR as a source; the schema could only say that there is no such kind."""
    source = document.get("source") if isinstance(document, dict) else None
    if isinstance(source, dict) and (source.get("kind") == "openvino" or str(source.get("path")).endswith(".xml")):
        raise UserError(f"{path}: source: {NO_WAY_BACK}")


def load_datasets(folder, schema, broken=None, models=()):
    """Return ``{data set: card}`` of all data sets in ``folder``, sorted by name.

    Args:
        folder: that of the cards and the indices.
        schema: of such a card.
        broken: gets the error of every card that cannot be read, ``{name: UserError}``; the others are returned.
        models: names that no data set may have.

    Raises:
        UserError: for the first card that cannot be read, without ``broken``.
    """
    found = {}
    for name in _names(folder):
        with _kept(broken, found, name):
            where = f"datasets/{name}.yaml"
            _check_name(name, where, "data set")
            if name in models:
                raise UserError(f"{where}: a model has this name too; rename one")
            found[name] = schemas.check(load_yaml(os.path.join(folder, f"{name}.yaml"), where), schema, where)
            if not os.path.exists(os.path.join(folder, f"{name}.csv")):
                raise UserError(f"{where}: there is no datasets/{name}.csv, the list of its samples")
    return found


def check_datasets(card, datasets, broken):
    """Raise a UserError for a card that names a data set that is not there.

    Args:
        card: of a model.
        datasets: names of data sets.
        broken: ``{name: UserError}`` of those that cannot be read.
    """
    for purpose in ("calibration", "evaluation"):
        chosen = card.get(purpose)
        if isinstance(chosen, dict):
            require(chosen["dataset"], datasets, f"{card['file']}: {purpose}", "data set", broken)


def check_c_names(catalogue, models):
    """Raise a UserError when two of some models have one name in C, so that one program could not hold both."""
    known = {}
    for model in sorted(models):
        name = catalogue[model]["c_name"]
        if (other := known.setdefault(name, model)) != model:
            here, there = (catalogue[one]["file"] for one in (model, other))
            raise UserError(f"{here}: c_name: {name} is that of {there}; change one")


def postprocess_options(card, graph):
    """Return the options of a graph's TFLite_Detection_PostProcess that are its own, not those of all graphs."""
    return {key: value for key, value in card["graphs"][graph].items() if key != "add_postprocessing_op"}


def _check_postprocess(card, path):
    """Take out what says nothing, and raise a UserError for options that no source of the card's kind has."""
    card["postprocess"].pop("add_postprocessing_op", None)
    asked = {key for options in (card["postprocess"], *card["graphs"].values()) for key in options}
    by_op = card["source"]["kind"] == "tf1_detection"
    if strange := asked & {"best_class"} if by_op else asked - _OF_ANY_DETECTOR:
        only = "no source of kind tf1_detection has" if by_op else "only sources of kind tf1_detection have"
        raise UserError(f"{path}: postprocess.{min(strange)}: {only} it")


def _check_tfjs(card, path):
    """Raise a UserError for a TensorFlow.js model that no source of the card's kind gives."""
    for key, kind in (("layers", "keras"), ("inference", "tf1_detection")):
        if card["tfjs"][key] and card["source"]["kind"] != kind:
            found = card["source"]["kind"]
            raise UserError(f"{path}: tfjs.{key}: only sources of kind {kind} have it, and this is {found}")


def _check_graphs(card, path):
    """Raise a UserError for options that no op can have together."""
    for graph in card["graphs"]:
        options = {**card["postprocess"], **postprocess_options(card, graph)}
        several = options.get("max_classes_per_detection", 1) > 1
        if several and options.get("use_regular_nms", True):
            raise UserError(
                f"{path}: max_classes_per_detection is for fast NMS only, which {graph} has not; give it to one of "
                "`graphs` with use_regular_nms: false"
            )
