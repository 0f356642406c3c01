"""Configuration, catalogue, wildcard constraints and the functions that the rules share."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import sys

sys.path.insert(0, f"{workflow.basedir}/scripts")

from snakemake.cli import get_argument_parser
from snakemake.logging import logger
from zoomill import cards
from zoomill.code_files import code_files
from zoomill.errors import UserError
from zoomill.yaml_file import load_yaml


def load():
    """Return the catalogue, after checking it, the configuration and the targets on the command line."""
    schemas = f"{workflow.basedir}/rules/schemas"
    try:
        cards.check(config, load_yaml(f"{schemas}/config.schema.yaml"), "config.yaml")
        catalogue = cards.load_catalogue(
            f"{workflow.basedir}/models", load_yaml(f"{schemas}/card.schema.yaml")
        )
        for name in config["models"]:
            require(name, catalogue, "config.yaml: models", "model")
        # Snakemake hands on the targets only after this file is read.
        for target in get_argument_parser().parse_known_args()[0].targets:
            check_target(target, catalogue)
    except UserError as error:
        sys.exit(f"error: {error}")
    return catalogue


def require(name, names, where, kind):
    """Raise a UserError with the nearest names when `name` is not one of `names`."""
    if name not in names:
        raise UserError(f"{where}: there is no {kind} {name}{cards.nearest(name, list(names))}")


def check_target(target, catalogue):
    """Raise a UserError for a target whose model, graph or variant does not exist."""
    parts = re.fullmatch(r"(?:\./)?(sources|build|results)/([^/]+)(?:/(.*))?", target)
    if not parts or (parts[1] == "results" and parts[3] is None):
        return
    folder, name, file = parts[1], parts[2], parts[3] or ""
    require(name, catalogue, target, "model")
    if folder == "build" and "/" in file:
        require(os.path.dirname(file), catalogue[name]["graphs"], target, "graph")
    artifact = re.fullmatch(r"([^.]+)\.([^.]+)\.tflite(\.json)?", file)
    if folder == "results" and artifact:
        require(artifact[1], catalogue[name]["graphs"], target, "graph")
        require(artifact[2], VARIANTS, target, "TFLite variant")


def prepare_jobs():
    """Fix the environment of all jobs; without conda, answer Snakemake's calls with a stand-in."""
    os.environ.update(
        PYTHONNOUSERSITE="1",
        PYTHONHASHSEED="0",
        TF_ENABLE_ONEDNN_OPTS="0",
        TF_CPP_MIN_LOG_LEVEL="2",
        CUDA_VISIBLE_DEVICES="",
        ZOOMILL_MIRRORS="\n".join(config["mirrors"]),
    )
    if shutil.which("conda") is None:
        logger.info("There is no conda: uv builds the environments.")
        stand_in = f"{workflow.basedir}/envs/uv/bin"
        os.environ.update(
            ZOOMILL_PYTHON=sys.executable, PATH=os.pathsep.join([stand_in, *os.get_exec_path()])
        )


def hold_folder():
    """Return a file whose kernel lock lives as long as this process, and undo the lock of a run that was killed.

    Snakemake's own lock is a file that outlives its process. Whoever gets the kernel's lock alone is the only run in
    this folder, so a lock of Snakemake's that stands there belongs to nobody.
    """
    os.makedirs(".snakemake", exist_ok=True)
    alive = open(".snakemake/alive", "w")
    with contextlib.suppress(OSError):  # another run lives: Snakemake says whether they collide
        if workflow.is_main_process:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(".snakemake/locks", ignore_errors=True)
    with contextlib.suppress(OSError):  # a file system without locks
        fcntl.flock(alive, fcntl.LOCK_SH)
    return alive


def code(command):
    """Return the files of a command in scripts/, the script first, relative to the working directory."""
    files = code_files(f"{workflow.basedir}/scripts/{command}.py")
    return [os.path.relpath(path) for path in files]


def card(*keys):
    """Return an input function that looks up a value of the model's card."""

    def get(wildcards):
        value = CATALOGUE[wildcards.model]
        for key in keys:
            value = value[key]
        return value

    return get


def kind(name):
    """Return a pattern that matches the models of a kind of source, and nothing else."""
    return "|".join(m for m, c in CATALOGUE.items() if c["source"]["kind"] == name) or "(?!)"


def source(key):
    """Return an input function for an option of the model's source."""

    def get(wildcards):
        return CATALOGUE[wildcards.model]["source"][key]

    return get


def source_tensors(key):
    """Return an input function for a mapping from contract names to tensors, as JSON."""

    def get(wildcards):
        return json.dumps(CATALOGUE[wildcards.model]["source"][key])

    return get


def main_file(wildcards):
    """Return the file of a source that says what the model is, inside its folder."""
    chosen = CATALOGUE[wildcards.model]["source"]
    return next(chosen[key] for key in ("path", "graph", "config", "frozen_graph") if key in chosen)


def expectations(wildcards):
    """Return what the card expects of the source's interface, as JSON."""
    chosen = CATALOGUE[wildcards.model]
    return json.dumps({key: chosen[key] for key in ("inputs", "outputs", "labels", "label_offset")})


def golden(wildcards):
    """Return the golden outputs of a graph; all graphs of a detector share them."""
    graph = "main" if wildcards.graph == "main" else "detect_cut"
    return f"build/{wildcards.model}/{graph}/golden.npz"


def anchors(wildcards):
    """Return the anchors of a detector, nothing for other graphs."""
    return [] if wildcards.graph == "main" else "build/{model}/detect_cut/anchors.npy"


def artifacts(model):
    """Return the artifacts that the configuration asks for."""
    return [
        f"results/{model}/{graph}.{variant}.tflite"
        for graph in CATALOGUE[model]["graphs"]
        for variant in config["tflite"]
        if variant in CATALOGUE[model]["tflite"]
    ]


def all_artifacts():
    """Return the artifacts of all configured models."""
    return [path for model in config["models"] for path in artifacts(model)]


def evidence(paths):
    """Return the evidence files of artifacts."""
    return [f"{path}.json" for path in paths]


def card_files(wildcards):
    """Return the card's files as JSON, paths inside the repository made relative to the working directory."""
    files = []
    for file in CATALOGUE[wildcards.model]["source"]["files"]:
        urls = [url if "://" in url else os.path.relpath(f"{workflow.basedir}/{url}") for url in file["urls"]]
        files.append({**file, "urls": urls})
    return json.dumps(files)


def accept_new_digests(wildcards):
    """Return the flag for models with files of unknown digest, where the configuration accepts them."""
    unknown = any("digest" in file for file in CATALOGUE[wildcards.model]["source"]["files"])
    return "--accept-new-digests" if unknown and config["accept_new_digests"] else ""


def golden_images(wildcards):
    """Return the paths of the card's pinned pictures."""
    return [f"sources/{wildcards.model}/{name}" for name in CATALOGUE[wildcards.model]["golden"]]


def graph_options(wildcards):
    """Return the post-processing options that the card sets for a graph, as JSON."""
    return json.dumps(cards.postprocess_options(CATALOGUE[wildcards.model], wildcards.graph), sort_keys=True)


def conversion_figures(wildcards):
    """Return the figures that TOCO logged, for its variants."""
    return "build/{model}/{graph}/toco.json" if wildcards.variant == "toco_float32" else []


def limits(wildcards):
    """Return the variant's limits as JSON."""
    own = CATALOGUE[wildcards.model]["limits"].get(wildcards.variant, {})
    return json.dumps({**config["limits"][wildcards.variant], **own}, sort_keys=True)


def pipeline_code(wildcards):
    """Return the files of all commands that have a part in a model's artifacts."""
    kind = CATALOGUE[wildcards.model]["source"]["kind"]
    commands = ["fetch_source", "convert_tflite", "quantise_tflite"]
    if kind == "tf1_detection":
        commands += ["export_ssd_graph", "add_postprocess", "run_toco", "finish_toco", "graft_postprocess"]
    else:
        commands.append(f"export_{kind}")
    return sorted({path for command in commands for path in code(command)})


def environment_files():
    """Return everything that says what is in the environments of the pipeline."""
    names = ("base", "tf2", "onnx", config["toco"], "litert")
    paths = [f"{workflow.basedir}/envs/{name}{end}" for name in names for end in (".yaml", ".post-deploy.sh")]
    return [os.path.relpath(path) for path in paths if os.path.exists(path)]


def model_artifacts(wildcards):
    """Return the configured artifacts of a model."""
    return artifacts(wildcards.model)


def parameters(wildcards):
    """Return everything of the card and the configuration that shapes an artifact, as JSON."""
    chosen = CATALOGUE[wildcards.model]
    keys = ("source", "labels", "golden", "pipeline_override", "postprocess", "graphs", "licence")
    wanted = {"card": {key: chosen[key] for key in keys}, "toco": config["toco"]}
    return json.dumps(wanted, sort_keys=True)


def locked_artifacts():
    """Return the artifacts whose digests are kept in artifacts.lock."""
    path = f"{workflow.basedir}/artifacts.lock"
    with open(path, encoding="utf-8") as file:
        return [f"results/{name}" for name in json.load(file)]


VARIANTS = ["float32", "float16", "dynamic", "toco_float32"]
CATALOGUE = load()
prepare_jobs()
ALIVE = hold_folder()


wildcard_constraints:
    model="|".join(CATALOGUE),
    graph="main|detect_[a-z0-9_]+",
    variant="|".join(VARIANTS),
