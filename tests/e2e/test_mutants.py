"""Proof that can fail: of every kind of source and every format, each wrong artifact is red and the reason named."""

import json
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from conftest import REPOSITORY, copied

from zoomill import files

# Models of the three kinds that no starter has, made of what the workflow makes of another starter.
MADE = {
    "made_frozen_graph": ("frozen_graph", "digits_slim", "build/{}/main/graph.pb", "graph.pb"),
    "made_tflite": ("tflite", "digits_resnet8", "results/{}/main.float32.tflite", "model.tflite"),
    "made_tfjs": ("tfjs", "digits_autoencoder", "results/{}/main.float32.tfjs", "model.json"),
}
# One model of each kind of source that a starter has.
STARTERS = {
    "darknet": "yolo_shapes",
    "keras": "digits_resnet8",
    "onnx": "digits_onnx",
    "pytorch": "digits_pytorch",
    "saved_model": "digits_dscnn_saved_model",
    "tf1_checkpoint": "digits_slim",
    "tf1_detection": "ssd_mobilenet_v1_shapes",
}
WITHOUT_CALIBRATION = ("yolo_shapes", "made_tfjs")
# The formats meet every kind of source behind the graph alone, so that two models are enough for those that run longer.
VARIANTS = {
    **{model: ["float32.tflite", "int8.tflite"] for model in (*STARTERS.values(), *MADE)},
    **{model: ["float32.tflite", "dynamic.tflite"] for model in WITHOUT_CALIBRATION},
}
VARIANTS["digits_resnet8"] += ["float16.tflite", "int8_io.tflite", "int16x8.tflite"]
VARIANTS["digits_slim"] += ["float32.tfjs", "uint8.tfjs", "float32.openvino"]
VARIANTS["yolo_shapes"] += ["float32.tfjs", "float32.openvino"]


def graph(model):
    return "detect_cut" if model == STARTERS["tf1_detection"] else "main"


ARTIFACTS = [f"results/{model}/{graph(model)}.{end}" for model, ends in VARIANTS.items() for end in ends]
DETECTORS = [f"results/{STARTERS['tf1_detection']}/{end}" for end in ("detect_regular.float32", "detect_fast.int8")]
ARTIFACTS += [f"{path}.tflite" for path in DETECTORS]
ENVIRONMENTS = {"tflite": "litert", "tfjs": "litert", "openvino": "openvino"}

pytestmark = pytest.mark.slow
each_artifact = pytest.mark.parametrize("artifact", ARTIFACTS)


@pytest.fixture(scope="session")
def built(starters, tmp_path_factory):
    """A run that has validated all artifacts."""
    run = copied(starters, tmp_path_factory.mktemp("mutants") / "copy")
    clone = run.repository
    sources = {kind: run.file(path.format(starter)) for kind, starter, path, _ in MADE.values()}
    for model, (kind, starter, _, name) in MADE.items():
        card = yaml.safe_load((clone / f"models/{starter}.yaml").read_text())
        pictures = [file for file in card["source"]["files"] if file["name"].startswith("golden/")]
        own = entries(clone / "made", kind, sources[kind], name)
        card["source"] = {"kind": kind, "path": name, "files": own + pictures}
        if kind == "frozen_graph":
            contract = files.read_json(sources[kind].with_name("contract.json"))
            for side in ("input", "output"):
                named = {entry["name"]: entry["tensor"] for entry in contract[f"{side}s"]}
                card["source"][f"{side}_tensors"] = named
        for key in ("c_name", "tfjs", "published", "evaluation", "drop"):
            card.pop(key, None)
        (clone / f"models/{model}.yaml").write_text(yaml.safe_dump(card))
    run.run(*(f"{artifact}.json" for artifact in ARTIFACTS))
    return run


def entries(folder, kind, source, name):
    """Copy a made source into a folder of the clone and return its files as a card lists them."""
    found = sorted(path for path in source.glob("*") if path.name[0] != ".") if source.is_dir() else [source]
    result = []
    for path in found:
        own = path.name if source.is_dir() else name
        copy = folder / kind / own
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
        url = str(copy.relative_to(folder.parent))
        result.append({"name": own, "urls": [url], "size": copy.stat().st_size, "sha256": files.digest(copy)})
    return result


@pytest.fixture(scope="session")
def judged(built, environment_python, tmp_path_factory):
    """What tests/mutants/judge.py says: ``{artifact: {mutant: (verdict, phrases)}}``."""
    found = {artifact: {} for artifact in ARTIFACTS}
    for form, name in ENVIRONMENTS.items():
        output = tmp_path_factory.mktemp("judged") / "judgements.json"
        chosen = [artifact for artifact in ARTIFACTS if artifact.endswith(f".{form}")]
        command = [environment_python(name), REPOSITORY / "tests/mutants/judge.py", *chosen]
        subprocess.run([*command, "--work", built.folder, "--output", output], check=True)
        for row in json.loads(output.read_text()):
            found[row["artifact"]][row["mutant"]] = row["verdict"], row["phrases"]
    return found


def made(judged, artifact):
    """Return ``{mutant: (verdict, phrases)}`` of what could be changed in an artifact."""
    return {name: item for name, item in judged[artifact].items() if name != "none" and item[0] != "not applicable"}


@each_artifact
def test_the_right_artifact_passes(judged, artifact):
    assert judged[artifact]["none"] == ("passed", [])


@each_artifact
def test_each_wrong_artifact_is_red(judged, artifact):
    found = made(judged, artifact)
    assert len(found) >= 9
    assert {name: item for name, item in found.items() if item[0] not in ("failed", "equivalent")} == {}


@each_artifact
def test_each_failure_names_an_output_or_an_operator(judged, built, artifact):
    _, model, file = artifact.split("/")
    contract = files.read_json(built.file(f"build/{model}/{file.split('.')[0]}/contract.json"))
    names = [*(entry["name"] for entry in contract["outputs"]), "box_encodings", "class_predictions", "op", "decision"]
    outputs = "|".join(map(re.escape, names))
    changed = r"(goes from|is up to|differs|was changed|is not as \S+ says: \w+)\b"
    named = re.compile(rf"(\w+: )?({outputs}|[A-Z0-9_]+ \d+): |operator \d+ is |\S+ {changed}|\w+ is \S+ asked for")
    red = {name: phrases for name, (verdict, phrases) in made(judged, artifact).items() if verdict == "failed"}
    assert {name: phrases for name, phrases in red.items() if not any(map(named.match, phrases))} == {}


def test_the_bench_prints_how_many_mutants_were_killed(built):
    flags = ["--work", built.folder, "--formats", "tflite", "--models", "digits_slim"]
    command = [sys.executable, REPOSITORY / "tests/bench/mutants.py", *flags]
    process = subprocess.run(command, check=True, capture_output=True, text=True)
    assert re.search(r"\| kernel shuffled +(\| 1/1 +){4}\| 4/4 +\|", process.stdout)
    assert re.search(r"Of \d+ mutants of 4 artifacts, 0 are equivalent .* killed: 100\.0%", process.stdout)
