"""The name of an artifact, and every path that belongs to it."""

import dataclasses
import os
import re

from zoomill.plan import accelerators, gates, variants

# The forms that a ledger has.
LEDGER = ("json", "md", "svg")
# What belongs to an artifact, by the end of its name after model, graph and variant.
ENDS = {
    "tflite": {
        "artifact": ".tflite",
        "evidence": ".tflite.json",
        "metric": ".metric.json",
        "samples": ".samples.jsonl",
        "micro_metric": ".micro.metric.json",
        "micro_samples": ".micro.samples.jsonl",
        "tensors": ".tensors.json",
        "plot": ".tensors.png",
        "nms": ".nms.json",
        "heat_map": ".nms.svg",
        "sweep": ".calibration_sweep.json",
        "sweep_plot": ".calibration_sweep.svg",
        "source": ".cc",
        "header": ".h",
        "record": ".json",
        **{f"ledger {end}": f".ledger.{end}" for end in LEDGER},
        **{gate: f".{gate}.json" for gate in gates.NAMES},
        **accelerators.files(),
    },
    "openvino": {"artifact": ".openvino", "evidence": ".openvino.json"},
    "tfjs": {
        "artifact": ".tfjs",
        "evidence": ".tfjs.json",
        "metric": ".tfjs.metric.json",
        "samples": ".tfjs.samples.jsonl",
        "spread": ".tfjs.spread.json",
        "record": ".json",
        **{f"ledger {end}": f".tfjs.ledger.{end}" for end in LEDGER},
    },
}
_PATH = re.compile(r"(?:\./)?results/([^/]+)/([^./]+)\.([^./]+)(\.[^/]+)((?:/.*)?)")


@dataclasses.dataclass(frozen=True)
class ArtifactName:
    """Which artifact: ``results/<model>/<graph>.<variant>.<format>``."""

    model: str
    graph: str
    variant: str
    format: str

    def __str__(self):
        return self.file("artifact")

    def file(self, what):
        """Return the path of something that belongs to the artifact, a key of :data:`ENDS`."""
        return f"results/{self.model}/{self.graph}.{self.variant}{ENDS[self.format][what]}"

    def build(self, file):
        """Return the path of a file of the graph."""
        return f"build/{self.model}/{self.graph}/{file}"

    @property
    def golden(self):
        """The golden inputs and outputs of the graph; all graphs of a detector share them."""
        graph = self.graph if self.graph in ("main", "inference") else "detect_cut"
        return dataclasses.replace(self, graph=graph).build("golden.npz")


def c_name(known_as, graph, variant, compiled=""):
    """Return what an artifact is called in C: as its model, if graph and variant are those one expects there.

    Args:
        known_as: ``c_name`` of the model's card.
        compiled: what stands behind the variant of a file that was compiled for an accelerator.
    """
    parts = ["" if graph == "main" else graph, "" if variant == "int8_io" else variant]
    return "_".join([known_as, *filter(None, parts), *re.findall("[a-z0-9]+", compiled)])


def parse(path):
    """Return the artifact that a path in results/ belongs to and what of it the path is, ``(name, key of ENDS)``.

    A file inside of an artifact's folder is the artifact. Returns None for a path of anything else.
    """
    found = _PATH.fullmatch(path)
    if not found:
        return None
    model, graph, variant, end, inside = found.groups()
    fitting = [
        (ArtifactName(model, graph, variant, form), what)
        for form, ends in ENDS.items()
        for what, known in ends.items()
        if end == known and (not inside or what == "artifact")
    ]
    known = [name for name, _ in fitting if name.variant in variants.names(format=name.format)]
    return next((pair for pair in fitting if pair[0] in known), fitting[0] if fitting else None)


def of_result(path):
    """Return what :func:`parse` does of a path that may begin anywhere, by its last two parts."""
    return parse("/".join(["results", *os.path.abspath(path).split(os.sep)[-2:]]))


# Files of a graph that artifacts of a format are made with.
_OF_GRAPH = {
    ("map", ".json"): "tfjs",
    ("calibration", ".json"): "tflite",
    ("backends", ".json"): "tflite",
    ("backends", ".md"): "tflite",
}


def of_graph(path):
    """Return which graph a path ``results/<model>/<graph>.<what>.json`` belongs to, as :func:`parse` does, or None."""
    found = _PATH.fullmatch(path)
    if found and (form := _OF_GRAPH.get((found[3], found[4]))):
        return ArtifactName(found[1], found[2], "float32", form), found[3]
    return None
