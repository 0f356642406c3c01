"""Measure the workflow against the recipe run by hand: the same twelve files of the starter model.

By hand means one process for each step, as in the MLPerf recipe: the Object Detection API's exporter and the `toco`
command (TensorFlow 1.13.1), the converter of TensorFlow 2 for each of the other files, and a comparison of every file
with the frozen graph by tf.lite.Interpreter.

    .venv/bin/python tests/bench/against_by_hand.py

prints Markdown tables. It needs the environments tf1 (Python 3.7) and tf2, and builds all in a temporary folder.
"""

import argparse
import csv
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests"))

import environments  # noqa: E402

STARTER = REPOSITORY / "starter/ssd_mobilenet_v1_shapes"
SIZE = 160  # pixels, height and width of its input
HEADS = ["raw_outputs/box_encodings", "raw_outputs/class_predictions"]
DETECTIONS = ["TFLite_Detection_PostProcess", *(f"TFLite_Detection_PostProcess:{i}" for i in (1, 2, 3))]
GRAPHS = {
    "detect_cut": (HEADS, ["--add_postprocessing_op=false"]),
    "detect_regular": (DETECTIONS, ["--use_regular_nms=true", "--max_detections=100"]),
    "detect_fast": (DETECTIONS, ["--use_regular_nms=false", "--max_detections=100"]),
}
CONVERT = """
import sys, tensorflow as tf
graph, outputs, variant, size, path = sys.argv[1:]
converter = tf.compat.v1.lite.TFLiteConverter.from_frozen_graph(
    graph, ["normalized_input_image_tensor"], outputs.split(","),
    {"normalized_input_image_tensor": [1, int(size), int(size), 3]})
converter.allow_custom_ops = True
if variant != "float32":
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
if variant == "float16":
    converter.target_spec.supported_types = [tf.float16]
open(path, "wb").write(converter.convert())
"""
GOLDEN = """
import sys, glob, numpy as np, tensorflow as tf
from PIL import Image
graph = tf.compat.v1.GraphDef.FromString(open(sys.argv[1], "rb").read())
images = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(glob.glob(sys.argv[2] + "/*.png"))]
with tf.compat.v1.Session(graph=tf.Graph()) as session:
    tf.import_graph_def(graph, name="")
    names = ["detection_boxes:0", "detection_scores:0", "detection_classes:0", "num_detections:0"]
    runs = [session.run(names, {"image_tensor:0": image[None]}) for image in images]
np.savez(sys.argv[3], images=images, **{n[:-2]: np.concatenate([r[i] for r in runs]) for i, n in enumerate(names)})
"""
COMPARE = """
import sys, numpy as np, tensorflow as tf
golden = np.load(sys.argv[2])
interpreter = tf.lite.Interpreter(sys.argv[1])
interpreter.allocate_tensors()
for image in golden["images"]:
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], (image[None] * 2 / 255 - 1).astype(np.float32))
    interpreter.invoke()
    outputs = [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]
"""


def measure(command, **kwargs):
    """Run a command and return its wall seconds, CPU seconds (with its children's) and peak memory in MiB."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **kwargs)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            sys.exit(f"{' '.join(map(str, command))}\n{output.read().decode()}")
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def by_hand(folder, tf1, tf2):
    """Run the recipe and return ``[(step, runs, wall, CPU, MiB), …]``, equal steps added up."""
    with tarfile.open(STARTER / "ssd_mobilenet_v1_shapes.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    source = folder / "ssd_mobilenet_v1_shapes"
    environment = {**os.environ, "PATH": os.pathsep.join([str(tf1.parent), os.environ["PATH"]])}
    steps = []

    def step(name, command, **kwargs):
        steps.append((name, *measure(command, **kwargs)))

    for graph, (outputs, flags) in GRAPHS.items():
        export = [tf1, "-m", "object_detection.export_tflite_ssd_graph", "--input_type=image_tensor"]
        export += [f"--pipeline_config_path={source}/pipeline.config"]
        export += [f"--trained_checkpoint_prefix={source}/model.ckpt", f"--output_directory={folder / graph}"]
        step("export", [*export, *flags], env=environment)
        toco = ["toco", f"--graph_def_file={folder / graph}/tflite_graph.pb"]
        toco += [f"--output_file={folder / graph}.toco_float32.tflite", f"--input_shapes=1,{SIZE},{SIZE},3"]
        toco += ["--input_arrays=normalized_input_image_tensor", f"--output_arrays={','.join(outputs)}"]
        step("toco", [*toco, "--inference_type=FLOAT", "--allow_custom_ops"], env=environment)
        for variant in ("float32", "float16", "dynamic"):
            convert = [tf2, "-c", CONVERT, folder / graph / "tflite_graph.pb", ",".join(outputs), variant]
            step("convert", [*convert, str(SIZE), folder / f"{graph}.{variant}.tflite"])
    step("golden", [tf2, "-c", GOLDEN, source / "frozen_inference_graph.pb", STARTER / "golden", folder / "golden.npz"])
    for artifact in sorted(folder.glob("*.tflite")):
        step("compare", [tf2, "-c", COMPARE, artifact, folder / "golden.npz"])
    return add_up(steps)


def by_workflow(folder):
    """Run the workflow and return its steps, as :func:`by_hand` does, and the whole as one step."""
    snakemake = [Path(sys.executable).with_name("snakemake"), "-j1", "--snakefile", REPOSITORY / "Snakefile"]
    snakemake += ["--directory", folder, "--workflow-profile", REPOSITORY / "profiles/default"]
    snakemake += ["--configfile", REPOSITORY / "config.yaml", "--config", 'models=["ssd_mobilenet_v1_shapes"]']
    whole = measure(snakemake, cwd=folder)
    steps = []
    for path in sorted((folder / "benchmarks").glob("*/*.tsv")):
        with open(path, newline="") as file:
            (row,) = csv.DictReader(file, delimiter="\t")
        steps.append((path.parent.name, float(row["s"]), float(row["cpu_time"]), float(row["max_rss"])))
    return add_up(steps), whole


def add_up(steps):
    """Add up seconds, and take the highest memory, of the steps of the same name."""
    rows = {}
    for name, wall, cpu, memory in steps:
        runs, walls, cpus, peak = rows.get(name, (0, 0, 0, 0))
        rows[name] = (runs + 1, walls + wall, cpus + cpu, max(peak, memory))
    return [(name, *row) for name, row in rows.items()]


def table(title, rows):
    """Return a Markdown table of steps."""
    lines = [f"| {title} | processes | seconds | CPU seconds | peak MiB |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {name} | {runs} | {wall:.1f} | {cpu:.1f} | {memory:.0f} |" for name, runs, wall, cpu, memory in rows]
    return "\n".join(lines)


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    tf1, tf2 = environments.python_of("tf1"), environments.python_of("tf2")
    if not tf1 or not tf2:
        sys.exit("error: build the environments first: snakemake --conda-create-envs-only -j1 --config toco=tf1")
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="2", TF_ENABLE_ONEDNN_OPTS="0", CUDA_VISIBLE_DEVICES="")
    with tempfile.TemporaryDirectory() as temporary:
        hand, run = Path(temporary) / "hand", Path(temporary) / "workflow"
        hand.mkdir()
        run.mkdir()
        recipe = by_hand(hand, tf1, tf2)
        steps, whole = by_workflow(run)
    wall, cpu = (sum(row[column] for row in recipe) for column in (2, 3))
    compared = sum(row[3] for row in recipe if row[0] in ("golden", "compare"))
    print(table("by hand", [*recipe, ("all", sum(row[1] for row in recipe), wall, cpu, max(r[4] for r in recipe))]))
    print()
    print(table("zoomill", [*steps, ("all, with Snakemake", sum(row[1] for row in steps), *whole)]))
    print(f"\nCPU: {cpu / whole[1]:.1f} times less; {(cpu - compared) / whole[1]:.1f} times less than by hand")
    print("without comparing anything, though the workflow's figure includes its comparisons.")


if __name__ == "__main__":
    main()
