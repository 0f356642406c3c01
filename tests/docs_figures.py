"""Which figures of a run the tables of docs/ show, made by tests/docs_tables.py."""

import typing


class Table(typing.NamedTuple):
    """A table of figures that a run has.

    Attributes:
        heading: of the first column.
        rows: ``{first cell: what stands for the row in the names of artifacts}``.
        columns: ``(heading, artifact, setting, cell)``: ``model/file``, or ``model/source``, with ``{}`` for the row;
            what it was run with, nothing where that is the card's own; a key of :data:`CELLS`.
        gate: whose evidence has the figures, instead of that of metrics.
    """

    heading: str
    rows: dict
    columns: tuple
    gate: str = ""


CELLS = {
    "samples": lambda found: str(found["samples"]),
    "bytes": lambda found: f"{found['bytes']:,}",
    "sqnr": lambda found: f"{found['sqnr']:.0f} dB",
    **{name: (lambda found, name=name: f"{found[name]:.4f}") for name in ("builtin", "xnnpack", "gpu")},
    **{name: (lambda found, name=name: f"{found[name]:,}") for name in ("head", "tail", "total")},
    **{
        name: (lambda found, name=name: found[name]) for name in ("micro differs", "builtin differs", "xnnpack differs")
    },
    "figure": lambda found: f"{found['value']:.4f}",
    "interval": lambda found: "{:.4f} ({:.3f} to {:.3f})".format(found["value"], *found["interval"]),
}
# What tables show of a gate's evidence.
OF_GATE = {
    "gpu": lambda found: found["metric"],
    "micro": lambda found: found["arena"],
    "kernels": lambda found: {f"{name} differs": found["parity"][name]["line"] for name in _KERNELS.values()},
}
_KERNELS = {"TFLite Micro": "micro", "built-in": "builtin", "XNNPACK": "xnnpack"}
_EFINIX = ("ds_cnn_kws", "resnet_image_classify", "mobilenetv1_person_detect", "yolo_person_detect")
_EFINIX += ("mediapipe_face_landmark",)
PARTS = {"artifact": "sha256", "sample list": "samples_sha256"}
_WEIGHTS = ("int8", "int8_gpu", "dynamic")
_SSD, _RESNET = "ssd_mobilenet_v1_shapes/", "digits_resnet8/"
TABLES = {
    "starter_variants": Table(
        "variant",
        {
            f"`{variant}`": variant
            for variant in ("float32", "dynamic", "weight_int8", "weight_int4", "int8", "int8_tensor")
        },
        (
            ("`digits_resnet8`, bytes", f"{_RESNET}main.{{}}.tflite", "", "bytes"),
            ("SQNR", f"{_RESNET}main.{{}}.tflite", "", "sqnr"),
            ("top-1", f"{_RESNET}main.{{}}.tflite", "", "figure"),
            ("`ssd_mobilenet_v1_shapes` `detect_regular`, bytes", f"{_SSD}detect_regular.{{}}.tflite", "", "bytes"),
            ("SQNR", f"{_SSD}detect_regular.{{}}.tflite", "", "sqnr"),
            ("mAP", f"{_SSD}detect_regular.{{}}.tflite", "", "figure"),
        ),
    ),
    "starter_nms": Table(
        "graph",
        {
            "source": "source",
            **{f"`detect_{kind}`": f"detect_{kind}.float32.tflite" for kind in ("cut", "regular", "fast")},
        },
        (("from 0", f"{_SSD}{{}}", "", "interval"), ("from 0.3", f"{_SSD}{{}}", "from 0.3", "interval")),
    ),
    "mlperf_tiny": Table(
        "task",
        {
            "ic01, top-1, target 0.85": "mlperf_tiny_ic01_resnet",
            "kws01, top-1, target 0.90": "mlperf_tiny_kws01_dscnn",
            "vww01, top-1, target 0.80": "mlperf_tiny_vww01_mobilenet",
            "ad01, mean AUC, target 0.85": "mlperf_tiny_ad01_autoencoder",
        },
        (
            ("samples", "{}/main.float32.tflite", "", "samples"),
            ("float32", "{}/main.float32.tflite", "", "interval"),
            ("our int8", "{}/main.int8.tflite", "", "interval"),
            ("their int8", "{}_int8/source", "", "interval"),
            ("our bytes", "{}/main.int8.tflite", "", "bytes"),
            ("their bytes", "{}_int8/source", "", "bytes"),
        ),
    ),
    "detectors": Table(
        "model",
        {
            "aiy_ssd_mobilenet_v1_0125 `detect_cut`, mAP": "aiy_ssd_mobilenet_v1_0125/detect_cut",
            "yolo_fastest_1_1_raw_heads `main`, AP50": "yolo_fastest_1_1_raw_heads/main",
        },
        (
            ("float32", "{}.float32.tflite", "", "interval"),
            ("`int8`", "{}.int8.tflite", "", "interval"),
            ("`int8_mixed`", "{}.int8_mixed.tflite", "", "figure"),
            ("bytes", "{}.int8_mixed.tflite", "", "bytes"),
        ),
    ),
    "planned_weights": Table(
        "variant",
        {name: name for name in ("float32", "float16", "uint16", "uint8", "planned")},
        (
            ("bytes", "mobilenet_v1_025_224/main.{}.tfjs", "", "bytes"),
            ("top-1, wasm", "mobilenet_v1_025_224/main.{}.tfjs", "", "interval"),
        ),
    ),
    "micro_arena": Table(
        "file",
        {
            **{f"Efinix, {name}": name for name in ("deep_autoencoder_anomaly_detection", *_EFINIX)},
            "MLPerf Tiny, vww_96_int8": "vww_96_int8",
        },
        tuple((part, "{}/source.given.tflite", "", part) for part in ("head", "tail", "total")),
        gate="micro",
    ),
    "kernels_apart": Table(
        "file",
        {"ic01": "pretrainedresnet_quant", "vww01": "vww_96_int8", "kws01": "kws_ref_model"},
        tuple((title, "{}/source.given.tflite", "", f"{name} differs") for title, name in _KERNELS.items()),
        gate="kernels",
    ),
    "gpu_faults": Table(
        "file",
        {
            "MLPerf Tiny's own ic01, int8": "mlperf_tiny_ic01_resnet_int8/source.given",
            **{f"`mlperf_tiny_ic01_resnet` `{name}`": f"mlperf_tiny_ic01_resnet/main.{name}" for name in _WEIGHTS},
            **{f"`digits_resnet8` `{name}`": f"{_RESNET}main.{name}" for name in _WEIGHTS},
        },
        (
            ("bytes", "{}.tflite", "", "bytes"),
            ("built-in", "{}.tflite", "", "builtin"),
            ("XNNPACK", "{}.tflite", "", "xnnpack"),
            ("GPU", "{}.tflite", "", "gpu"),
        ),
        gate="gpu",
    ),
}
