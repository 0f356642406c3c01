"""What people would use instead of the workflow, for the same files: commands as data."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

from measure import REPOSITORY

SCRIPTS = Path(__file__).parent / "by_hand"
DIGITS = "sources/digits"

# Packages of those tools that no environment of the workflow has: their Python, and what pip is asked for. The last
# tensorflowjs asks for packages whose newest releases do not import each other.
TOOLS = {
    "onnx2tf 1.29.24": ("3.11", ["onnx2tf==1.29.24"]),
    "onnx2tf 2.6.9": ("3.12", ["onnx2tf==2.6.9"]),
    "litert-cli 0.2.1": ("3.12", ["litert-cli[quantize]==0.2.1"]),
    "tensorflowjs 4.22.0": (
        "3.11",
        ["tensorflowjs==4.22.0", "tensorflow==2.19.0", "setuptools<81", "jax<0.5", "flax<0.11", "ydf==0.11.0"],
    ),
}


@dataclasses.dataclass(frozen=True)
class Command:
    """One process.

    Attributes:
        tool: key of TOOLS, or the environment of the workflow that it runs in.
        arguments: the command line.
        writes: the artifacts that it leaves in its folder.
        compares: whether it only compares artifacts with their source.
    """

    tool: str
    arguments: list
    writes: tuple = ()
    compares: bool = False


@dataclasses.dataclass(frozen=True)
class Case:
    """The same files by the workflow and by others.

    Attributes:
        title: of the table's rows.
        model: which the workflow makes them of.
        files: its artifacts.
        peers: ``{name: function from the folder of what was given to commands}``.
        given: targets that are there before, for both.
        source: file in the mirror that the model's card is made of; without, the catalogue has it.
        value_range: what is answered to the question of such a card.
        limits: `limits` of the configuration.
    """

    title: str
    model: str
    files: list
    peers: dict[str, Callable]
    given: tuple = ()
    source: str = ""
    value_range: tuple = ()
    limits: dict = dataclasses.field(default_factory=dict)

    def targets(self, validated):
        """Return what the workflow is asked for."""
        return [f"results/{self.model}/{name}{'.json' * validated}" for name in self.files]


_SSD = REPOSITORY / "starter/ssd_mobilenet_v1_shapes"
_PIXELS = "160"  # height and width of its input
_HEADS = ["raw_outputs/box_encodings", "raw_outputs/class_predictions"]
_DETECTIONS = ["TFLite_Detection_PostProcess", *(f"TFLite_Detection_PostProcess:{i}" for i in (1, 2, 3))]
_GRAPHS = {
    "detect_cut": (_HEADS, ["--add_postprocessing_op=false"]),
    "detect_regular": (_DETECTIONS, ["--use_regular_nms=true", "--max_detections=100"]),
    "detect_fast": (_DETECTIONS, ["--use_regular_nms=false", "--max_detections=100"]),
}
_VARIANTS = ("float32", "float16", "dynamic")


def _recipe(_):
    source = "ssd_mobilenet_v1_shapes"
    yield Command("tf1", ["tar", "-xzf", _SSD / "ssd_mobilenet_v1_shapes.tar.gz"])
    for graph, (outputs, flags) in _GRAPHS.items():
        export = ["python", "-m", "object_detection.export_tflite_ssd_graph", "--input_type=image_tensor"]
        export += [f"--pipeline_config_path={source}/pipeline.config", f"--output_directory={graph}"]
        yield Command("tf1", [*export, f"--trained_checkpoint_prefix={source}/model.ckpt", *flags])
        name, frozen = f"{graph}.toco_float32.tflite", f"{graph}/tflite_graph.pb"
        toco = ["toco", f"--graph_def_file={frozen}", f"--output_file={name}", "--inference_type=FLOAT"]
        toco += ["--input_arrays=normalized_input_image_tensor", f"--input_shapes=1,{_PIXELS},{_PIXELS},3"]
        yield Command("tf1", [*toco, f"--output_arrays={','.join(outputs)}", "--allow_custom_ops"], (name,))
        for variant in _VARIANTS:
            name = f"{graph}.{variant}.tflite"
            convert = ["python", SCRIPTS / "convert_frozen_graph.py", frozen, ",".join(outputs), variant, _PIXELS, name]
            yield Command("tf2", convert, (name,))

    graph = "ssd_mobilenet_v1_shapes/frozen_inference_graph.pb"
    record = ["python", SCRIPTS / "record_golden.py", graph, _SSD / "golden", "golden.npz"]
    yield Command("tf2", record, compares=True)
    for graph in _GRAPHS:
        for variant in ("toco_float32", *_VARIANTS):
            compare = ["python", SCRIPTS / "compare.py", f"{graph}.{variant}.tflite", "golden.npz"]
            yield Command("tf2", compare, compares=True)


_KERAS = REPOSITORY / "starter/digits_resnet8/digits_resnet8.h5"


def _tflite_convert(given):
    name = "main.float32.tflite"
    yield Command("tf2", ["tflite_convert", "--keras_model_file", _KERAS, "--output_file", name], (name,))
    for variant in ("float16", "dynamic", "int8"):
        name = f"main.{variant}.tflite"
        convert = ["python", SCRIPTS / "convert_keras.py", _KERAS, variant, given / DIGITS, name]
        yield Command("tf2", convert, (name,))


# Its package refuses the Keras file above, which Keras 3 has written.
_SAVED_MODEL = REPOSITORY / "starter/digits_dscnn_saved_model/dscnn"


def _tensorflowjs_converter(_):
    for variant in ("float32", "float16", "uint16", "uint8"):
        name = f"main.{variant}.tfjs"
        flags = [] if variant == "float32" else [f"--quantize_{variant}=*"]
        convert = ["tensorflowjs_converter", "--input_format=tf_saved_model", "--output_format=tfjs_graph_model"]
        yield Command("tensorflowjs 4.22.0", [*convert, *flags, _SAVED_MODEL, name], (name,))


def _onnx2tf(version, model):
    # What it would download to try its own conversion with.
    sample = "import numpy; numpy.save('calibration_image_sample_data_20x128x128x3_float32.npy', "
    sample += "numpy.random.default_rng(0).random((20, 128, 128, 3), numpy.float32))"

    def commands(given):
        tool, name = f"onnx2tf {version}", Path(model).stem
        # It writes the model that it simplified over the one that it is given.
        yield Command(tool, ["cp", given / model, "."])
        if version.startswith("1."):
            yield Command(tool, ["python", "-c", sample])
        convert = ["onnx2tf", "-i", f"{name}.onnx", "-o", ".", "-b", "1", "-n"]
        yield Command(tool, convert, tuple(f"{name}_{variant}.tflite" for variant in ("float32", "float16")))

    return commands


def _litert_torch(_):
    name, program = "main.torch_float32.tflite", REPOSITORY / "starter/digits_pytorch/digits.pt2"
    yield Command("torch", ["python", SCRIPTS / "convert_pytorch.py", program, name], (name,))


_FLOAT = "results/digits_resnet8/main.float32.tflite"


def _litert(given):
    name = "main.dynamic.tflite"
    yield Command("litert-cli 0.2.1", ["litert", "quantize", given / _FLOAT, "--output", name], (name,))


def _ai_edge_quantizer(given):
    names = tuple(f"main.{variant}.tflite" for variant in ("float16", "dynamic", "int8", "int16x8"))
    yield Command("litert", ["python", SCRIPTS / "quantise.py", given / _FLOAT, given / DIGITS, "."], names)


def _onnx(title, model, source, value_range):
    peers = {f"onnx2tf {version}": _onnx2tf(version, source) for version in ("1.29.24", "2.6.9")}
    files = ["main.float32.tflite", "main.float16.tflite"]
    # On drawn pictures, float16 misses what it may lose on real ones.
    limits = {"float16": {"sqnr": 25, "share": 0.1}}
    return Case(title, model, files, peers, source=source, value_range=value_range, limits=limits)


CASES = {
    "recipe": Case(
        "SSD, 12 TFLite files",
        "ssd_mobilenet_v1_shapes",
        [
            f"{graph}.{variant}.tflite"
            for graph in _GRAPHS
            for variant in ["toco_float32", "float32", "float16", "dynamic"]
        ],
        {"MLPerf's recipe": _recipe},
    ),
    "tflite": Case(
        "Keras, 4 TFLite files",
        "digits_resnet8",
        [f"main.{variant}.tflite" for variant in ("float32", "float16", "dynamic", "int8")],
        {"tflite_convert and scripts": _tflite_convert},
        given=(DIGITS,),
    ),
    "tfjs": Case(
        "SavedModel, 4 TensorFlow.js models",
        "digits_dscnn_saved_model",
        [f"main.{variant}.tfjs" for variant in ("float32", "float16", "uint16", "uint8")],
        {"tensorflowjs_converter 4.22.0": _tensorflowjs_converter},
        given=("build/javascript/@tensorflow/tfjs/dist/tf.min.js",),
    ),
    "yolox": _onnx(
        "YOLOX-Nano of ONNX, 2 TFLite files", "yolox_nano", "onnx_yolox_nano_coco/yolox_nano.onnx", (0, 255)
    ),
    "mobilenet": _onnx(
        "MobileNetV2 of ONNX, 2 TFLite files",
        "mobilenet_v2_128_0_5",
        "onnx_mobilenet_v2_128_0.5/mobilenet_v2_128_0.5.onnx",
        (-1, 1),
    ),
    "pytorch": Case(
        "PyTorch, 1 TFLite file",
        "digits_pytorch",
        ["main.torch_float32.tflite"],
        {"litert-torch script": _litert_torch},
    ),
    "litert": Case(
        "1 quantised file of a float one",
        "digits_resnet8",
        ["main.dynamic.tflite"],
        {"litert quantize 0.2.1": _litert},
        given=(_FLOAT,),
    ),
    "quantizer": Case(
        "4 quantised files of a float one",
        "digits_resnet8",
        [f"main.{variant}.tflite" for variant in ("float16", "dynamic", "int8", "int16x8")],
        {"ai-edge-quantizer script": _ai_edge_quantizer},
        given=(_FLOAT, DIGITS),
    ),
}
