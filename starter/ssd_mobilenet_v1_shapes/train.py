"""Make ssd_mobilenet_v1_shapes.tar.gz from nothing: data, training, export, evaluation, archive.

    python train.py --work /path/to/scratch

The steps use the TF Object Detection API's own commands; the environment is requirements.txt. The data set is
the same in every run. The trained weights are not: TF 1 threads its input queue and its gradients.
"""

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import make_shapes
import numpy as np

HERE = Path(__file__).resolve().parent
NAME = "ssd_mobilenet_v1_shapes"
STEPS = 8000
TRAIN_SEEDS = 1, 2
TRAIN_COUNT = 8000
HELDOUT_SEED = 1000
HELDOUT_COUNT = 500
# Significant bits kept of every weight, so that the archive, which holds the weights three times, compresses
# by a third. One more than float16 has: a float16 conversion of this model must still round.
WEIGHT_BITS = 12


def run(*words):
    """Run a Python script or module to its end, on the CPU."""
    environment = dict(os.environ, CUDA_VISIBLE_DEVICES="")
    subprocess.run([sys.executable, *map(str, words)], check=True, env=environment)


def make_data(data):
    """Write the training records, the label map and the held-out set into the folder `data`."""
    data.mkdir(parents=True, exist_ok=True)
    items = [f'item {{\n  id: {number}\n  name: "{label}"\n}}\n' for number, label in enumerate(make_shapes.LABELS, 1)]
    (data / "label_map.pbtxt").write_text("".join(items))
    sets = [(f"train-{seed}", seed, TRAIN_COUNT) for seed in TRAIN_SEEDS]
    for name, seed, count in sets + [("heldout", HELDOUT_SEED, HELDOUT_COUNT)]:
        run(
            HERE / "make_shapes.py",
            "--seed",
            seed,
            "--count",
            count,
            "--output",
            data / name,
            "--record",
            data / (name + ".record"),
        )


def train(work, steps):
    """Train from random weights; checkpoints go to work/train."""
    config = (HERE / "pipeline.config").read_text()
    config = config.replace("@DATA@", str(work / "data")).replace("@STEPS@", str(steps))
    (work / "pipeline.config").write_text(config)
    run(
        "-m",
        "object_detection.legacy.train",
        "--logtostderr",
        "--train_dir",
        work / "train",
        "--pipeline_config_path",
        work / "pipeline.config",
    )


def round_weights(checkpoint, rounded):
    """Copy a checkpoint with its float32 values rounded to WEIGHT_BITS significant bits."""
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(checkpoint))
    with tf.Graph().as_default(), tf.Session() as session:
        for name in sorted(reader.get_variable_to_shape_map()):
            value = reader.get_tensor(name)
            if value.dtype == np.float32:
                mantissa, exponent = np.frexp(value)
                value = np.ldexp(np.round(mantissa * 2**WEIGHT_BITS) / 2**WEIGHT_BITS, exponent)
            tf.Variable(value, name=name, dtype=reader.get_variable_to_dtype_map()[name])
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, str(rounded), write_meta_graph=False)


def export(work, steps):
    """Export the last checkpoint, rounded, in the zoo's layout; return its folder. No path is left in it."""
    folder = work / NAME
    shutil.rmtree(str(folder), ignore_errors=True)
    round_weights(work / "train" / f"model.ckpt-{steps}", work / "rounded" / "model.ckpt")
    run(
        "-m",
        "object_detection.export_inference_graph",
        "--input_type",
        "image_tensor",
        "--pipeline_config_path",
        work / "pipeline.config",
        "--trained_checkpoint_prefix",
        work / "rounded" / "model.ckpt",
        "--output_directory",
        folder,
    )
    config = folder / "pipeline.config"
    config.write_text(config.read_text().replace(str(work / "data") + "/", ""))
    return folder


def pack(folder, archive):
    """Write a folder as .tar.gz whose bytes depend on its files' names and contents only."""

    def plain(member):
        member.mtime = member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mode = 0o755 if member.isdir() else 0o644
        return member

    with open(str(archive), "wb") as raw, gzip.GzipFile(
        filename="", mode="wb", compresslevel=9, fileobj=raw, mtime=0
    ) as packed, tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in [folder] + sorted(folder.rglob("*")):
            tar.add(str(path), str(path.relative_to(folder.parent)), recursive=False, filter=plain)


def main(argv=None):
    """Run the whole recipe and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="scratch folder, about 1 GB")
    parser.add_argument("--steps", type=int, default=STEPS, help="training steps (default %(default)s)")
    flags = parser.parse_args(argv)
    work = flags.work.resolve()
    make_data(work / "data")
    train(work, flags.steps)
    folder = export(work, flags.steps)
    pack(folder, work / f"{NAME}.tar.gz")
    from evaluate import evaluate  # it imports TensorFlow

    figures = evaluate(folder / "frozen_inference_graph.pb", work / "data" / "heldout")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
