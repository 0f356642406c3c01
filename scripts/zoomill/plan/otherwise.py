"""The table of ways to run an artifact, or read what it gives, otherwise than its own figure does."""

import dataclasses

from zoomill.plan import gates

# What the samples and the card must have for a row, besides an evaluation.
PICTURES, FITTED, DETECTOR, FLOOR = "pictures", "fitted", "detector", "floor"
# The row whose pictures are decoded by another program, where they are JPEG.
DECODED = "decoded"
# What the names of settings begin with that lead from one graph to another, in a ledger's order.
UNTIL = "until_"
# The options of TFLite_Detection_PostProcess that a card can set, in the order in which a ledger changes them.
OPTIONS = (
    "nms_score_threshold",
    "nms_iou_threshold",
    "use_regular_nms",
    "detections_per_class",
    "max_classes_per_detection",
    "max_detections",
)


@dataclasses.dataclass(frozen=True)
class Otherwise:
    """A row.

    Attributes:
        name: the end of its files, ``build/<model>/ledger/<graph>.<variant>.<name>.samples.jsonl``.
        title: of its row in a ledger.
        formats: of the artifacts that it is for.
        kernels: that run a .tflite file.
        backend: of TensorFlow.js.
        browser: whether the backend is Chromium's.
        postprocess: options of TFLite_Detection_PostProcess, or of what stands for it after raw heads.
        needs: :data:`PICTURES`; :data:`FITTED`, pictures that are brought to the input's size once for all; and
            :data:`DETECTOR`, an SSD's post-processing; :data:`FLOOR`, a lower score threshold of the metric, which is
            left out.
    """

    name: str
    title: str
    formats: tuple = ("tflite",)
    kernels: str = ""
    backend: str = ""
    browser: bool = False
    postprocess: dict = dataclasses.field(default_factory=dict)
    needs: str = ""


def _settings(name, title, **options):
    return Otherwise(name, title, postprocess=options, needs=DETECTOR)


_BOTH = ("tflite", "tfjs")
TABLE = (
    _settings("fast", "fast NMS", use_regular_nms=False),
    _settings("regular", "regular NMS", use_regular_nms=True),
    _settings("ten", "10 detections", max_detections=10),
    _settings("hundred", "100 detections", max_detections=100),
    _settings("fast_ten", "fast NMS, 10 detections", use_regular_nms=False, max_detections=10),
    _settings("regular_hundred", "regular NMS, 100 detections", use_regular_nms=True, max_detections=100),
    Otherwise("floor", "scores from the model's own threshold", _BOTH, needs=FLOOR),
    Otherwise("resized", "pictures resized the other way", _BOTH, needs=PICTURES),
    Otherwise(DECODED, "JPEG decoded by TensorFlow", _BOTH, needs=FITTED),
    Otherwise("reference", "LiteRT's reference kernels", kernels="reference"),
    Otherwise("xnnpack", "XNNPACK's kernels", kernels="xnnpack"),
    Otherwise("micro", "TFLite Micro's kernels", kernels="micro"),
    Otherwise("cpu", "TensorFlow.js in plain JavaScript", ("tfjs",), backend="cpu"),
    Otherwise("webgl", "TensorFlow.js on WebGL", ("tfjs",), backend="webgl", browser=True),
    Otherwise("webgpu", "TensorFlow.js on WebGPU", ("tfjs",), backend="webgpu", browser=True),
)
NAMES = tuple(row.name for row in TABLE)
# Graphs whose pictures are fitted by their own contract, not once for all of the model.
OWN_PICTURES = ("inference", gates.SOURCE)


def for_format(form, browser=False):
    """Return the names of the rows for artifacts of a format, in a browser or not."""
    return [row.name for row in TABLE if form in row.formats and row.browser == browser]


def of(name):
    """Return the row of a name."""
    return TABLE[NAMES.index(name)]


def why_not(card, name, otherwise, reader):
    """Return why an artifact is not scored otherwise, though it is scored, or None.

    Args:
        card: that of the model.
        name: :class:`zoomill.plan.artifact_name.ArtifactName`.
        otherwise: name of a row, or :data:`UNTIL` and an option.
        reader: of the data set that it is scored on, as its card says.
    """
    if otherwise.startswith(UNTIL):
        on_the_way = [*settings(card, name.graph)][:-1] if name.format == "tflite" else []
        if otherwise.removeprefix(UNTIL) in on_the_way:
            return None
        return f"{name.graph} sets nothing so named on the way from detect_regular"
    row, metric = of(otherwise), card["evaluation"]["metric"]
    lower = metric.get("decode", {"kind": "ssd"}) if metric["name"] == "coco" else {"kind": None}
    reasons = {
        "it is for artifacts of another format": name.format not in row.formats,
        "its samples are no pictures": row.needs in (PICTURES, FITTED) and reader != "picture",
        "it takes pictures by a contract of its own": row.needs == FITTED and name.graph in OWN_PICTURES,
        "its post-processing is no SSD's": row.needs == DETECTOR and lower["kind"] != "ssd",
        "its metric has no score threshold of its own": row.needs == FLOOR and "nms_score_threshold" not in lower,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def settings(card, graph):
    """Return what ``graph`` of a detector sets otherwise than ``detect_regular``, ``{option: value}``, in order."""
    graphs = card["graphs"]
    if graph not in graphs or "detect_regular" not in graphs:
        return {}
    own, usual = graphs[graph], graphs["detect_regular"]
    return {name: own[name] for name in OPTIONS if name in own and own[name] != usual.get(name)}
