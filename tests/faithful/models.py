"""One model, exported and converted by zoomill and by the original exporter."""

import json

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from faithful.processes import HERE, run
from zoomill import files
from zoomill.detection import nms
from zoomill.detection.postprocess import Options

INPUT = "normalized_input_image_tensor"
KERNELS = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
# Each graph, and the flag by which the original exporter makes it.
ORIGINAL_FLAGS = {
    "detect_cut": "--add_postprocessing_op=false",
    "detect_regular": "--use_regular_nms=true",
    "detect_fast": "--use_regular_nms=false",
}
GRAPHS = tuple(ORIGINAL_FLAGS)
# The thresholds of the MLPerf recipe.
OVERRIDE = """
model { ssd { post_processing { batch_non_max_suppression { score_threshold: 0.3 iou_threshold: 0.6 } } } }
"""


class Model:
    """The files of one model, those of zoomill in ``ours/<graph>/``, the original's in ``original/<graph>/``.

    Args:
        source: folder with model.ckpt.* and pipeline.config, perhaps frozen_inference_graph.pb.
        images: pictures whose golden outputs are kept.
        folder: where the files go.
    """

    def __init__(self, source, images, folder):
        self.source, self.images, self.folder = source, images, folder

    def graph(self, route, graph):
        """Return the path of a frozen graph."""
        return self.folder / route / graph / {"ours": "graph.pb", "original": "tflite_graph.pb"}[route]

    def converted(self, route, graph):
        """Return the path of a graph that TensorFlow 2 converted."""
        return self.folder / route / graph / "converted.tflite"

    def contract_path(self, graph):
        """Return the path of a graph's contract, which also holds for the original's graph."""
        return self.folder / "ours" / graph / "contract.json"

    def contract(self, graph):
        """Return the contract of a graph."""
        return files.read_json(self.contract_path(graph))

    @property
    def anchors(self):
        """The anchors that zoomill computed: float32 ``[anchors, 4]``, centre and size."""
        return np.load(self.folder / "ours/detect_cut/anchors.npy")

    @property
    def golden(self):
        """The golden inputs and outputs of the source, ``{name: array}``."""
        with np.load(self.folder / "ours/detect_cut/golden.npz") as arrays:
            return dict(arrays)

    def outputs(self, artifact, graph):
        """Run an artifact of ``graph`` on the golden images and return ``{name: array}`` for each of them.

        Of detections only the rows that count are returned: fast NMS leaves the others uninitialised.
        """
        interpreter = Interpreter(str(artifact), experimental_op_resolver_type=KERNELS, num_threads=1)
        runner, options = interpreter.get_signature_runner(), Options(**self.contract(graph)["postprocess"])
        rows = []
        for image in self.golden[INPUT]:
            arrays = runner(**{INPUT: image[None]})
            rows.append(arrays if graph == "detect_cut" else vars(nms.of_outputs(arrays, options)))
        return rows

    def export_originally(self, python):
        """Export the three graphs by the original exporter in one process."""
        lines = []
        for graph, flag in ORIGINAL_FLAGS.items():
            lines.append([*self.original_flags(self.folder / "original" / graph), flag, "--max_detections=100"])
        export_originally(python, lines)

    def original_flags(self, output, override=OVERRIDE):
        """Return the flags of the original exporter that have no default."""
        return [
            f"--pipeline_config_path={self.source}/pipeline.config",
            f"--trained_checkpoint_prefix={self.source}/model.ckpt",
            f"--output_directory={output}",
            f"--config_override={override}",
        ]

    def export_and_convert(self, python):
        """Export the three graphs by zoomill's commands, and convert them and the original's, in one process."""
        cut = self.folder / "ours/detect_cut"
        commands = [export_command(self.source, self.images, cut)]
        for graph, regular in (("detect_regular", True), ("detect_fast", False)):
            commands.extend(postprocess_commands(cut, self.folder / "ours" / graph, {"use_regular_nms": regular}))
        for route in ("ours", "original"):
            for graph in GRAPHS:
                paths = self.graph(route, graph), self.contract_path(graph), self.converted(route, graph)
                commands.append(convert_command(*paths))
        run_warm(python, commands)

    def run_originally(self, python):
        """Run the graphs of the raw heads, the original's first, in a session of TensorFlow 1.

        Returns:
            Two dicts: outputs by tensor name, and ``anchors`` in the original's.
        """
        output = self.folder / "session.npz"
        graphs = [self.graph(route, "detect_cut") for route in ("original", "ours")]
        run(python, HERE / "original_run.py", self.folder / "ours/detect_cut/golden.npz", output, *graphs)
        results = {}, {}
        with np.load(output) as arrays:
            for name, array in arrays.items():
                index, _, tensor = name.partition("/")
                results[int(index)][tensor] = array
        return results


def export_originally(python, lines):
    """Run the original exporter, once for each list of flags."""
    run(python, HERE / "original_export.py", json.dumps(lines))


def run_warm(python, commands):
    """Run commands of scripts/ in one process."""
    run(python, HERE / "warm_commands.py", json.dumps([[str(part) for part in command] for command in commands]))


def export_command(source, images, output, override=OVERRIDE):
    """Return the command that exports the raw heads."""
    flags = ["--model", "model", "--source", source, f"--pipeline-override={override}", "--output-dir", output]
    return ["export_tf1_detection", *flags, "--golden-images", *images]


def postprocess_commands(cut, output, options):
    """Return the commands that put the post-processing op behind the raw heads in the folder ``cut``."""
    contract = output / "contract.json"
    asked = ["--name", output.name, "--options", json.dumps(options)]
    heads = ["--graph", cut / "graph.pb", "--anchors", cut / "anchors.npy"]
    return [
        ["write_contract", "--contract", cut / "contract.json", *asked, "--output", contract],
        ["add_postprocess", *heads, "--contract", contract, "--output", output / "graph.pb"],
    ]


def convert_command(graph, contract, output):
    """Return the command that converts a graph by TensorFlow 2."""
    return ["convert_tflite", "--graph", graph, "--contract", contract, "--output", output]
