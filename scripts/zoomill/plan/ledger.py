"""What rules about ledgers are given: what lies between the figures of source and artifact, and the artifact otherwise.

A ledger is a list of samples.jsonl files, each scored by a rule: every step is what lies between one and the next, so
that the differences add up to the whole.
"""

import dataclasses
import json

from zoomill.plan import gates, javascript, otherwise, targets, variants
from zoomill.plan.artifact_name import ArtifactName

# Which conversion without integers those are measured against that are converted from the graph by themselves.
_TWINS = {"tf_int8": "float32", "toco_uint8": "toco_float32"}
_NO_BROWSER = "no Chromium is run: it is not on PATH, or config.yaml says `browser: false` or names no `tfjs`"


class Ledger:
    """Input functions about ledgers.

    Args:
        catalogue, datasets: ``{name: card}``.
        evaluation: :class:`zoomill.plan.samples.Samples`.
        in_browser: function that tells whether artifacts are run in Chromium.
        task: function from wildcards and input to the flags of a job that scores.
    """

    def __init__(self, catalogue, datasets, evaluation, in_browser, task):
        self._catalogue, self._datasets, self._evaluation = catalogue, datasets, evaluation
        self._in_browser, self._task = in_browser, task

    def inputs(self, form):
        """Return an input function for the scored samples of a ledger of an artifact of a format."""

        def get(wildcards):
            steps, others, _ = self._rows(_name(wildcards, form))
            return [path for _, path in (*steps, *others)]

        return get

    def flags(self, form):
        """Return a function for the flags that say what a ledger's rows are."""

        def get(wildcards):
            rows = zip(("steps", "others", "unmeasured"), self._rows(_name(wildcards, form)), strict=True)
            return [word for name, row in rows for word in (f"--{name}", json.dumps(row))]

        return get

    def _rows(self, name):
        """Return the rows of a ledger.

        Returns:
            ``(title, path)`` of the steps from the source to an artifact, of the artifact otherwise, and
            ``(title, reason)`` of what is not measured here.
        """
        card = self._catalogue[name.model]
        reader = self._datasets[card["evaluation"]["dataset"]]["form"]["reader"]
        rows = [row for row in otherwise.TABLE if not otherwise.why_not(card, name, row.name, reader)]
        here = [row for row in rows if self._in_browser() or not row.browser]
        others = [(row.title, file(name, row.name)) for row in here]
        return _steps(card, name), others, [(row.title, _NO_BROWSER) for row in rows if row not in here]

    def artifact(self, wildcards):
        """Return the .tflite file that is scored otherwise, on the way to another graph that of detect_regular."""
        graph = "detect_regular" if wildcards.otherwise.startswith(otherwise.UNTIL) else wildcards.graph
        return f"results/{wildcards.model}/{graph}.{wildcards.variant}.tflite"

    def contract(self, wildcards):
        """Return its contract."""
        graph = "detect_regular" if wildcards.otherwise.startswith(otherwise.UNTIL) else wildcards.graph
        return f"build/{wildcards.model}/{graph}/contract.json"

    def fitted(self, wildcards):
        """Return the pictures in the size of the input, nothing where the job resizes them by itself."""
        if wildcards.otherwise == otherwise.DECODED:
            return f"build/{wildcards.model}/evaluation.{otherwise.DECODED}.npy"
        return [] if wildcards.otherwise == "resized" else self._evaluation.fitted(wildcards)

    def tools(self, wildcards):
        """Return the flags that say how a .tflite file is run otherwise."""
        changes, kernels = self._changes(wildcards), []
        if not wildcards.otherwise.startswith(otherwise.UNTIL):
            row = otherwise.of(wildcards.otherwise)
            changes, kernels = row.postprocess, ["--kernels", row.kernels] if row.kernels else []
        return [*kernels, *(["--postprocess", json.dumps(changes)] if changes else []), "--otherwise"]

    def tfjs_tools(self, wildcards):
        """Return the flags that say how a TensorFlow.js model is run otherwise."""
        backend = otherwise.of(wildcards.otherwise).backend
        return ["--library", javascript.FOLDER, *(["--backend", backend] if backend else [])]

    def predictions_flags(self, wildcards, input):
        """Return the flags that name what an artifact gave in Chromium."""
        return ["--predictions", input.predictions, "--variant", wildcards.variant]

    def task(self, wildcards, input):
        """Return the flags of a job that scores otherwise: of two that are alike, the last counts."""
        flags, chosen = self._task(wildcards, input), self._catalogue[wildcards.model]
        if wildcards.otherwise == "resized":
            preprocess = chosen["preprocess"]
            other = {**preprocess, "antialias": not preprocess.get("antialias", True)}
            return [*flags, "--preprocess", json.dumps(other, sort_keys=True)]
        if wildcards.otherwise != "floor":
            return flags
        metric = json.loads(flags[flags.index("--metric") + 1])
        metric["decode"].pop("nms_score_threshold")
        return [*flags, "--metric", json.dumps(metric, sort_keys=True)]

    def _changes(self, wildcards):
        """Return the settings of a graph up to one of them."""
        settings = otherwise.settings(self._catalogue[wildcards.model], wildcards.graph)
        names, last = [*settings], wildcards.otherwise.removeprefix(otherwise.UNTIL)
        return {name: settings[name] for name in names[: names.index(last) + 1]} if last in settings else {}


def file(name, how):
    """Return the samples of an artifact that is scored otherwise, ``how`` being the end of the file's name."""
    form = "" if name.format == "tflite" else f".{name.format}"
    return f"build/{name.model}/ledger/{name.graph}.{name.variant}{form}.{how}.samples.jsonl"


def _name(wildcards, form):
    return ArtifactName(wildcards.model, wildcards.graph, wildcards.variant, form)


def _steps(card, name):
    """Return ``(title, path)`` of what leads from a model's source to an artifact, the source first."""
    if name.graph == gates.SOURCE:
        return [("the file as it is", name.file("samples"))]
    first, *others = _lineage(card, name)
    exact = dataclasses.replace(first, format="tflite")
    runtime = []
    if first.format == "tfjs" and not targets.why_not(card, exact):
        first, runtime = exact, [("TensorFlow.js", first.file("samples"))]
    steps = [("source", f"results/{name.model}/source.samples.jsonl"), *_to_graph(card, first), *runtime]
    return [*steps, *((made.variant, made.file("samples")) for made in others)]


def _lineage(card, name):
    """Return an artifact and those that it is made from or measured against, the first conversion first."""
    row, found = variants.row(name.format, name.variant), [name]
    while before := _TWINS.get(row.name) or (row.made_from if row.made_from not in ("graph", "source") else None):
        row = variants.row(name.format, before)
        made = dataclasses.replace(name, variant=before)
        found += [] if targets.why_not(card, made) else [made]
    return found[::-1]


def _to_graph(card, name):
    """Return the steps from a source to a float artifact: conversion, the op of a detector, its settings one by one."""
    title = "conversion" if name.variant == "float32" else f"conversion, {name.variant}"
    if not name.graph.startswith("detect_"):
        return [(title, name.file("samples"))]
    cut, usual = (dataclasses.replace(name, graph=graph) for graph in ("detect_cut", "detect_regular"))
    steps = [(f"{title}, raw heads", cut.file("samples"))]
    if name.graph == "detect_cut":
        return steps
    settings = otherwise.settings(card, name.graph)
    if not settings:
        return [*steps, ("post-processing op", name.file("samples"))]
    steps.append(("post-processing op", usual.file("samples")))
    paths = [file(name, f"{otherwise.UNTIL}{option}") for option in settings][:-1] + [name.file("samples")]
    return steps + [(_title(option, settings[option]), path) for option, path in zip(settings, paths, strict=True)]


def _title(option, value):
    if option == "use_regular_nms":
        return "regular NMS" if value else "fast NMS"
    return f"{option.removeprefix('nms_').replace('_', ' ')} {value:g}"
