"""Configuration, catalogue, wildcard constraints and the functions that the rules share."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import sys

from snakemake.cli import get_argument_parser
from snakemake.logging import logger
from zoomill import cards, sandbox, source_lock, verdicts
from zoomill.code_files import code_files
from zoomill.errors import UserError
from zoomill.printable import printable
from zoomill.yaml_file import load_yaml


def load():
    """Return catalogue and data sets, after checking them, the configuration and the targets on the command line.

    A broken card stops only what needs it.
    """
    broken = {}
    schemas = f"{workflow.basedir}/rules/schemas"
    try:
        cards.check(config, load_yaml(f"{schemas}/config.schema.yaml"), "config.yaml")
        schema = load_yaml(f"{schemas}/card.schema.yaml")
        catalogue = cards.load_catalogue(f"{workflow.basedir}/models", schema, broken)
        datasets = cards.load_datasets(
            f"{workflow.basedir}/datasets",
            load_yaml(f"{schemas}/dataset.schema.yaml"),
            schema["$defs"],
            broken,
        )
        cards.check_datasets(catalogue, datasets, broken)
        for name in config["models"]:
            require(name, catalogue, "config.yaml: models", "model", broken)
        cards.check_c_names(catalogue, config["models"])
        # Snakemake hands on the targets only after this file is read.
        targets = get_argument_parser().parse_known_args()[0].targets
        for target in targets:
            check_target(target, catalogue, datasets, broken)
        if workflow.is_main_process and not config["accept_new_digests"]:
            check_digests(targets, catalogue)
    except UserError as error:
        sys.exit(f"error: {printable(str(error))}")
    if workflow.is_main_process:
        for line in dict.fromkeys(map(str, broken.values())):
            logger.warning(f"left out: {printable(line)}")
    return catalogue, datasets


def require(name, names, where, kind, broken=()):
    """Raise a UserError when `name` is not one of `names`: its own if it is broken, or one with the nearest names."""
    if name not in names:
        if name in broken:
            raise broken[name]
        raise UserError(f"{where}: there is no {kind} {name}{cards.nearest(name, list(names))}")


def check_target(target, catalogue, datasets, broken):
    """Raise a UserError for a target whose model, graph or variant does not exist."""
    parts = re.fullmatch(r"(?:\./)?(sources|build|results)/([^/]+)(?:/(.*))?", target)
    if not parts or (parts[1] == "results" and parts[3] is None):
        return
    folder, name, file = parts[1], parts[2], parts[3] or ""
    if (folder == "sources" and name in datasets) or (folder, name) == ("build", "javascript"):
        return
    require(name, catalogue, target, "model", broken)
    if (
        re.search(r"(metric\.json|samples\.jsonl|predictions\.npz)$", file)
        and "evaluation" not in catalogue[name]
    ):
        raise UserError(f"{target}: cannot be had: its card has no `evaluation`, samples and a metric")
    if folder == "build" and "/" in file:
        require(os.path.dirname(file), [*catalogue[name]["graphs"], "inference"], target, "graph")
    artifact = re.fullmatch(
        r"([^.]+)\.([^.]+)\.(?:tflite|tflite\.json|cc|h|metric\.json|samples\.jsonl|tensors\.(?:json|png)|"
        r"(?<=\.int8_mixed\.)json)",
        file,
    )
    if folder == "results" and artifact:
        require(artifact[1], catalogue[name]["graphs"], target, "graph")
        require(artifact[2], cards.VARIANTS, target, "TFLite variant")
        if reason := cards.why_not(catalogue[name], artifact[1], artifact[2]):
            raise UserError(f"{target}: cannot be had: {reason}")
    intermediate = re.fullmatch(r"([^.]+)\.([^.]+)\.openvino(?:\.json|/.*)?", file)
    if folder == "results" and intermediate:
        require(intermediate[1], catalogue[name]["graphs"], target, "graph")
        require(intermediate[2], OPENVINO_VARIANTS, target, "OpenVINO variant")
        if intermediate[1] not in cards.WITHOUT_POSTPROCESS:
            raise UserError(f"{target}: cannot be had: {cards.NO_POSTPROCESS}")
    if folder == "results" and file == "browser.json" and not config["tfjs"]:
        raise UserError(f"{target}: cannot be had: config.yaml names no `tfjs` variants to run in a browser")
    web = re.fullmatch(r"([^.]+)\.([^.]+)\.tfjs(?:\.json|\.metric\.json|\.samples\.jsonl|/.*)?", file)
    if folder == "results" and web:
        require(web[1], [*catalogue[name]["graphs"], "inference", "layers"], target, "graph")
        require(web[2], TFJS_VARIANTS, target, "TensorFlow.js variant")
        if reason := cards.tfjs_why_not(catalogue[name], web[1]):
            raise UserError(f"{target}: cannot be had: {reason}")


def check_digests(targets, catalogue):
    """Raise a UserError, with what to do, for a wanted model whose source would be refused for want of a digest."""
    wanted = {part for target in targets for part in target.split(os.sep)} if targets else config["models"]
    locked = source_lock.read("sources.lock")
    for name in catalogue:
        files = catalogue[name]["source"]["files"] if name in wanted else []
        known = locked.get(name, {})
        unknown = [file["name"] for file in files if "digest" in file and file["name"] not in known]
        if unknown and not os.path.exists(f"sources/{name}"):
            raise UserError(
                f"{name}: nobody has published a digest of {unknown[0]}; to fetch it all the same and keep the digest "
                "found in sources.lock, add --config accept_new_digests=True"
            )


def prepare_jobs():
    """Fix the environment of all jobs; without conda, answer Snakemake's calls with a stand-in."""
    os.environ.update(
        PYTHONNOUSERSITE="1",
        PYTHONHASHSEED="0",
        TF_ENABLE_ONEDNN_OPTS="0",  # oneDNN computes with whatever the CPU has
        TF_CPP_MIN_LOG_LEVEL="2",
        CUDA_VISIBLE_DEVICES="",
        ZOOMILL_MIRRORS="\n".join(config["mirrors"]),
        ZOOMILL_TIME_LIMIT=str(config["time_limit"]),
        ZOOMILL_MEMORY_LIMIT=str(config["memory_limit"]),
    )
    if workflow.is_main_process:
        for layer in sandbox.missing():
            logger.info(f"On this machine, {layer}: jobs are shut in by what else there is.")
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


def one_of(names):
    """Return a pattern that matches some names, and nothing else."""
    return "|".join(map(re.escape, names)) or "(?!)"


def kind(name):
    """Return a pattern that matches the models of a kind of source."""
    return one_of(model for model, chosen in CATALOGUE.items() if chosen["source"]["kind"] == name)


def labels(wildcards):
    """Return the labels of a model's card, as JSON."""
    return json.dumps(CATALOGUE[wildcards.model]["labels"])


def source(key):
    """Return an input function for an option of the model's source."""

    def get(wildcards):
        return CATALOGUE[wildcards.model]["source"][key]

    return get


def source_options(wildcards):
    """Return how the card describes the source, but for its kind and files, as JSON: tensors are in its order."""
    chosen = CATALOGUE[wildcards.model]["source"]
    return json.dumps({key: value for key, value in chosen.items() if key not in ("kind", "files")})


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
    graph = wildcards.graph if wildcards.graph in ("main", "inference") else "detect_cut"
    return f"build/{wildcards.model}/{graph}/golden.npz"


def anchors(wildcards):
    """Return the anchors of a detector, nothing for other graphs."""
    return [] if wildcards.graph in ("main", "inference") else "build/{model}/detect_cut/anchors.npy"


def tfjs_scripts():
    """Return the JavaScript that runs a TensorFlow.js model in Node."""
    return [
        os.path.relpath(f"{workflow.basedir}/web/{name}.js")
        for name in ("node", "runner", "sensitivity", "operators")
    ]


def tfjs_library():
    """Return the files of build/javascript/ that run a TensorFlow.js model in Node."""
    return [
        f"build/javascript/{name}"
        for name in JAVASCRIPT
        if name.startswith(("@tensorflow/tfjs/", WASM_BACKEND))
    ]


def tfjs_options(wildcards):
    """Return how a model's graphs are converted to TensorFlow.js, as JSON."""
    keys = ("shard_bytes", "strip_debug_ops", "skip_op_check", "control_flow_v2")
    return json.dumps({key: CATALOGUE[wildcards.model]["tfjs"][key] for key in keys}, sort_keys=True)


def tfjs_patterns(wildcards):
    """Return which weights a TensorFlow.js variant quantises, as JSON."""
    patterns = CATALOGUE[wildcards.model]["tfjs"]["quantise"].get(wildcards.variant, ["*"])
    return json.dumps({wildcards.variant: patterns})


def tfjs_memory(wildcards, input):
    """Return the megabytes that a conversion to TensorFlow.js takes, 16 times the graph's (measured)."""
    return 500 + 16 * int(input.size_mb)


def possible(model, variants):
    """Return the artifacts of some variants that a model can have, without the end of their names."""
    return [
        f"results/{model}/{graph}.{variant}"
        for graph in CATALOGUE[model]["graphs"]
        for variant in variants
        if variant in CATALOGUE[model]["tflite"] and not cards.why_not(CATALOGUE[model], graph, variant)
    ]


def artifacts(model):
    """Return the artifacts that the configuration asks for."""
    return (
        [f"{path}.tflite" for path in possible(model, config["tflite"])]
        + [
            f"results/{model}/{graph}.{variant}.openvino"
            for graph in CATALOGUE[model]["graphs"]
            for variant in config["openvino"]
            if graph in cards.WITHOUT_POSTPROCESS
        ]
        + [
            f"results/{model}/{graph}.{variant}.tfjs"
            for graph in cards.tfjs_graphs(CATALOGUE[model])
            for variant in config["tfjs"]
        ]
    )


def layers_models():
    """Return the layers models that the cards of configured models ask for, where the configuration wants any."""
    wanted = [model for model in config["models"] if CATALOGUE[model]["tfjs"]["layers"] and config["tfjs"]]
    return [f"results/{model}/layers.float32.tfjs" for model in wanted]


def output_maps():
    """Return the output maps of all graphs that are delivered as TensorFlow.js models."""
    stems = [path.split(".")[0] for path in web_artifacts(config["models"])]
    return [f"{stem}.map.json" for stem in dict.fromkeys(stems)]


def web_artifacts(models):
    """Return the TensorFlow.js models of some models that the configuration asks for."""
    return [path for model in models for path in artifacts(model) if path.endswith(".tfjs")]


def model_web_artifacts(wildcards):
    """Return the TensorFlow.js models of one model that the configuration asks for."""
    return web_artifacts([wildcards.model])


def web_contracts():
    """Return the contracts of all graphs that are delivered as TensorFlow.js models."""
    paths = [path.split(".")[0].replace("results/", "build/", 1) for path in web_artifacts(config["models"])]
    return [f"{path}/contract.json" for path in dict.fromkeys(paths)]


def page_scripts():
    """Return our own files of the page that runs models in a browser."""
    return [os.path.relpath(f"{workflow.basedir}/web/{name}") for name in ("prove.html", "runner.js")]


def in_browser():
    """Tell whether artifacts are run in Chromium too."""
    wanted = config["browser"] == "auto" and shutil.which("chromium") or config["browser"] is True
    return bool(wanted and config["tfjs"])


def say_browser():
    """Say whether artifacts are run in Chromium, where nothing but the machine decides it."""
    if workflow.is_main_process and config["tfjs"] and config["browser"] == "auto":
        found = "is run" if in_browser() else "is not on PATH, so nothing is run"
        logger.info(f"Chromium {found} in the proof of TensorFlow.js models.")


def browser_evidence(models):
    """Return the evidence of Chromium of some models, nothing where it is not run."""
    return [f"results/{model}/browser.json" for model in models if in_browser()]


def browser_artifacts(wildcards):
    """Return what runs in a browser: TensorFlow.js models, and the TFLite files of the same graphs.

    Files whose inputs and outputs are integers are left out: LiteRT.js knows no int8.
    """
    models = web_artifacts([wildcards.model])
    graphs = {path.split(".")[0] for path in models}
    files = [path for path in artifacts(wildcards.model) if path.split(".")[0] in graphs]
    return models + [
        path for path in files if path.endswith(".tflite") and path.split(".")[1] not in INTEGER_ENDS
    ]


def browser_contracts(wildcards):
    """Return the contract of each of these artifacts."""
    stems = [path.split(".")[0] for path in browser_artifacts(wildcards)]
    return [f"{stem.replace('results/', 'build/', 1)}/contract.json" for stem in stems]


def browser_goldens(wildcards):
    """Return the golden outputs of each of these artifacts."""
    return [path.replace("contract.json", "golden.npz") for path in browser_contracts(wildcards)]


def browser_limits(wildcards):
    """Return the limits of each of these artifacts, as JSON."""
    variants = [path.split(".")[1] for path in browser_artifacts(wildcards)]
    return json.dumps([limits_of(wildcards.model, variant) for variant in variants], sort_keys=True)


def web_metrics():
    """Return the metric evidence of those TensorFlow.js models that are evaluated."""
    return [
        f"{path}.metric.json"
        for path in web_artifacts(config["models"])
        if config["evaluate"] and "evaluation" in CATALOGUE[path.split("/")[1]]
    ]


def web_card(model):
    """Return what a model's card says to pages."""
    chosen = CATALOGUE[model]
    metric = chosen.get("evaluation", {}).get("metric", {})
    return {key: chosen[key] for key in ("title", "task", "training_set", "preprocess")} | {
        "decode": metric.get("decode", {}),
        "output": metric.get("output"),
    }


def web_cards():
    """Return what the cards of all configured models say to pages, as JSON."""
    return json.dumps({model: web_card(model) for model in config["models"]}, sort_keys=True)


def decoder_templates():
    """Return the templates of the programs that read a model's outputs."""
    folder = f"{workflow.basedir}/scripts/zoomill/templates"
    return [os.path.relpath(f"{folder}/decode.{end}.jinja") for end in ("js", "py")]


def decoder_card(wildcards):
    """Return what a model's card says to pages, as JSON."""
    return json.dumps(web_card(wildcards.model), sort_keys=True)


def web_pages():
    """Return all that pages need besides TensorFlow.js models, nothing where the configuration asks for none."""
    if not config["tfjs"]:
        return []
    names = ("decode.js", "decode.py", "tfjs.md")
    own = [f"results/{model}/{name}" for model in config["models"] for name in names]
    return ["results/models.json", "results/tfjs.md", *own, *output_maps()]


def lockable_artifacts():
    """Return those of all artifacts whose fingerprints artifacts.lock can hold."""
    return [path for path in all_artifacts() if path.endswith(".tflite")]


def all_artifacts():
    """Return the artifacts of all configured models."""
    return [path for model in config["models"] for path in artifacts(model)]


def c_arrays():
    """Return the C sources and headers of all configured models that the configuration asks for."""
    return [
        f"{path}.{end}"
        for model in config["models"]
        for path in possible(model, config["c_arrays"])
        for end in ("cc", "h")
    ]


def c_name(wildcards):
    """Return what an artifact is called in C: as its model, if it is the graph and variant one would expect there."""
    graph = [] if wildcards.graph == "main" else [wildcards.graph]
    variant = [] if wildcards.variant == "int8_io" else [wildcards.variant]
    return "_".join([CATALOGUE[wildcards.model]["c_name"], *graph, *variant])


def evidence(paths):
    """Return the evidence files of artifacts."""
    return [f"{path}.json" for path in paths]


def listed_files(wildcards):
    """Return the files of a model's or a data set's card."""
    name = wildcards.source
    return CATALOGUE[name]["source"]["files"] if name in CATALOGUE else DATASETS[name]["files"]


def metrics(paths):
    """Return the metric evidence of those .tflite artifacts whose models are evaluated."""
    return [
        f"{path.removesuffix('.tflite')}.metric.json"
        for path in paths
        if config["evaluate"] and path.endswith(".tflite") and "evaluation" in CATALOGUE[path.split("/")[1]]
    ]


def address(url):
    """Return a URL or absolute path as it is, a path that begins at the repository from the working directory."""
    fixed = url.startswith(("http://", "https://")) or os.path.isabs(url)
    return url if fixed else os.path.relpath(f"{workflow.basedir}/{url}")


def card_files(wildcards):
    """Return the card's files as JSON."""
    found = listed_files(wildcards)
    return json.dumps([{**file, "urls": list(map(address, file["urls"]))} for file in found])


def new_digests(wildcards):
    """Return where digests are recorded of a model with files of unknown digest, if the configuration accepts them."""
    unknown = any("digest" in file for file in listed_files(wildcards))
    return ["sources.lock"] if unknown and config["accept_new_digests"] else []


def index(name):
    """Return the list of a data set's samples, relative to the working directory."""
    return os.path.relpath(f"{workflow.basedir}/datasets/{name}.csv")


def index_of_source(wildcards):
    """Return the index of a data set whose samples are fetched, nothing for a model."""
    return index(wildcards.source) if wildcards.source in DATASETS else []


def sample_urls(wildcards):
    """Return where the samples of a data set are, nothing for a model."""
    return list(map(address, DATASETS[wildcards.source]["urls"])) if wildcards.source in DATASETS else []


def generated(made):
    """Return the data sets that this repository makes itself, or all that are fetched."""
    return [name for name, chosen in DATASETS.items() if ("generator" in chosen) == made]


def generator_code(wildcards):
    """Return the module that makes a data set, and everything beside it."""
    folder = os.path.dirname(DATASETS[wildcards.dataset]["generator"].replace(".", "/"))
    names = sorted(os.listdir(f"{workflow.basedir}/{folder}"))
    return [
        os.path.relpath(f"{workflow.basedir}/{folder}/{name}")
        for name in names
        if name.endswith((".py", ".npz"))
    ]


def dataset(key):
    """Return an input function for an entry of a data set's card."""

    def get(wildcards):
        return DATASETS[wildcards.dataset][key]

    return get


def uses(wildcards, purpose):
    """Return the data set and samples that a model's card names for a purpose, None for random calibration."""
    chosen = CATALOGUE[wildcards.model].get(purpose)
    return chosen if isinstance(chosen, dict) else None


def samples(purpose):
    """Return an input function for the list of a model's samples, nothing without."""

    def get(wildcards):
        return f"build/{wildcards.model}/{purpose}.csv" if uses(wildcards, purpose) else []

    return get


def sample_folder(purpose):
    """Return an input function for the folder of a model's samples, nothing without."""

    def get(wildcards):
        chosen = uses(wildcards, purpose)
        return f"sources/{chosen['dataset']}" if chosen else []

    return get


def sample_form(purpose):
    """Return an input function for how a model's samples are read, as JSON."""

    def get(wildcards):
        chosen = uses(wildcards, purpose)
        return json.dumps(DATASETS[chosen["dataset"]]["form"] if chosen else {}, sort_keys=True)

    return get


def sample_index(wildcards):
    """Return the index that a list of samples is chosen from."""
    return index(uses(wildcards, wildcards.purpose)["dataset"])


def sample_choice(wildcards):
    """Return which samples are chosen, as JSON."""
    return json.dumps(uses(wildcards, wildcards.purpose)["samples"])


def other_index(wildcards):
    """Return the index of the other purpose, with whose list no sample may be shared."""
    chosen = uses(wildcards, OTHER_PURPOSE[wildcards.purpose])
    return index(chosen["dataset"]) if chosen else []


def other_choice(wildcards):
    """Return which samples the other purpose has, as JSON."""
    chosen = uses(wildcards, OTHER_PURPOSE[wildcards.purpose])
    return json.dumps(chosen["samples"] if chosen else None)


def preprocess(wildcards):
    """Return how pictures are prepared for a model, as JSON."""
    return json.dumps(CATALOGUE[wildcards.model]["preprocess"], sort_keys=True)


def task_metric(wildcards):
    """Return the metric of a model's evaluation, as JSON; boxes are those that the data set's card names."""
    chosen = CATALOGUE[wildcards.model]["evaluation"]
    boxes = (
        {"annotations": DATASETS[chosen["dataset"]]["annotations"]}
        if chosen["metric"]["name"] == "coco"
        else {}
    )
    return json.dumps({**chosen["metric"], **boxes}, sort_keys=True)


def output_folder(wildcards, output):
    """Return the folder of a job's outputs."""
    return os.path.dirname(output[0])


def sample_flags(wildcards, input):
    """Return the flags that name the samples of a model's evaluation."""
    return [
        *("--samples", input.samples, "--folder", input.folder),
        *("--form", sample_form("evaluation")(wildcards), "--preprocess", preprocess(wildcards)),
    ]


def of_source(file):
    """Return an input function for a file of the graph nearest to a model's source."""

    def get(wildcards):
        graph = "main" if "main" in CATALOGUE[wildcards.model]["graphs"] else "detect_cut"
        return f"build/{wildcards.model}/{graph}/{file}"

    return get


def anchors_of_source(wildcards):
    """Return the anchors of a detector, nothing for other models."""
    return [] if "main" in CATALOGUE[wildcards.model]["graphs"] else "build/{model}/detect_cut/anchors.npy"


def calibration(wildcards):
    """Return the calibration of a variant that ai-edge-quantizer makes of one, nothing for others."""
    graph = "main" if wildcards.graph == "main" else "detect_cut"
    calibrated = wildcards.variant in {*cards.CALIBRATED, "int8_mixed"} - {"tf_int8"}
    return f"results/{wildcards.model}/{graph}.calibration.json" if calibrated else []


def beside(wildcards):
    """Return the int8 file that TensorFlow's is compared with, nothing for other variants."""
    compared = wildcards.variant == "tf_int8" and wildcards.graph in cards.WITHOUT_POSTPROCESS
    return "results/{model}/{graph}.int8.tflite" if compared else []


def float_file(wildcards):
    """Return the float32 file that a TFLite variant is derived from, nothing for those that are converted."""
    return "results/{model}/{graph}.float32.tflite" if wildcards.variant in cards.DERIVED else []


def float_model(wildcards):
    """Return the float32 model that a TensorFlow.js variant is derived from, nothing for itself."""
    return "results/{model}/{graph}.float32.tfjs" if wildcards.variant != "float32" else []


def golden_images(wildcards):
    """Return the paths of the card's pinned pictures."""
    return [f"sources/{wildcards.model}/{name}" for name in CATALOGUE[wildcards.model]["golden"]]


def golden_purpose(wildcards):
    """Return what the samples are for that give a model's golden inputs, None where pictures do or they are drawn."""
    chosen = CATALOGUE[wildcards.model]
    purposes = [purpose for purpose in ("evaluation", "calibration") if uses(wildcards, purpose)]
    return purposes[0] if purposes and not chosen["golden"] and len(chosen["inputs"]) < 2 else None


def golden_samples(wildcards):
    """Return the list of the samples that golden inputs are chosen from and their folder, nothing without."""
    purpose = golden_purpose(wildcards)
    return [samples(purpose)(wildcards), sample_folder(purpose)(wildcards)] if purpose else []


def golden_flags(wildcards, input):
    """Return the flags that say where golden inputs come from."""
    if not (purpose := golden_purpose(wildcards)):
        return ["--golden-images", *golden_images(wildcards)]
    sample_list, folder = input.golden
    return [
        *("--golden-samples", sample_list, "--golden-folder", folder),
        *("--golden-form", sample_form(purpose)(wildcards), "--golden-preprocess", preprocess(wildcards)),
    ]


def graph_options(wildcards):
    """Return the post-processing options that the card sets for a graph, as JSON."""
    return json.dumps(cards.postprocess_options(CATALOGUE[wildcards.model], wildcards.graph), sort_keys=True)


def conversion_figures(wildcards):
    """Return the figures that TOCO logged, for its variants."""
    return "build/{model}/{graph}/{variant}.json" if wildcards.variant.startswith("toco_") else []


def default_ranges(wildcards):
    """Return the lowest and highest value that the card sets for activations of toco_uint8, nothing otherwise."""
    chosen = CATALOGUE[wildcards.model]["toco"] if wildcards.variant == "toco_uint8" else {}
    return chosen.get("default_ranges", [])


def limits_of(model, variant):
    """Return the limits of a variant of a model."""
    return {**config["limits"][variant], **CATALOGUE[model]["limits"].get(variant, {})}


def limits(wildcards):
    """Return the variant's limits as JSON."""
    return json.dumps(limits_of(wildcards.model, wildcards.variant), sort_keys=True)


def pipeline_code(wildcards):
    """Return the files of all commands that have a part in a model's artifacts."""
    kind = CATALOGUE[wildcards.model]["source"]["kind"]
    commands = ["fetch_source", "convert_tflite", "calibrate", "quantise_tflite"]
    if kind == "tf1_detection":
        commands += ["export_ssd_graph", "add_postprocess", "graft_postprocess"]
    else:
        commands.append(f"export_{kind}")
    if any(variant.startswith("toco_") for variant in CATALOGUE[wildcards.model]["tflite"]):
        commands += ["run_toco", "finish_toco"]
    if "int8_mixed" in CATALOGUE[wildcards.model]["tflite"]:
        commands.append("bisect_quantisation")
    if kind == "pytorch":
        commands += ["run_pytorch", "convert_pytorch"]
    if config["openvino"]:
        commands.append("convert_openvino")
    if config["tfjs"]:
        commands += ["convert_tfjs", "quantise_tfjs", "plan_tfjs"]
        commands += ["export_inference"] * CATALOGUE[wildcards.model]["tfjs"]["inference"]
        commands += ["convert_layers"] * CATALOGUE[wildcards.model]["tfjs"]["layers"]
    return sorted({path for command in commands for path in code(command)})


def environment_files():
    """Return everything that says what is in the environments of the pipeline."""
    targets = [name for name in ("openvino", "tfjs") if config[name]]
    names = ["base", "tf2", "onnx", "torch", config["toco"], "litert", "evaluate", *targets]
    paths = [f"{workflow.basedir}/envs/{name}{end}" for name in names for end in (".yaml", ".post-deploy.sh")]
    return [os.path.relpath(path) for path in paths if os.path.exists(path)]


def model_artifacts(wildcards):
    """Return the configured artifacts of a model."""
    return artifacts(wildcards.model)


def model_goldens(wildcards):
    """Return the golden outputs of the graphs that a model's configured artifacts come from."""
    graphs = {os.path.basename(path).split(".")[0] for path in artifacts(wildcards.model)}
    shared = {graph if graph in ("main", "inference") else "detect_cut" for graph in graphs}
    return [f"build/{wildcards.model}/{graph}/golden.npz" for graph in sorted(shared)]


def parameters(wildcards):
    """Return everything of the card and the configuration that shapes an artifact, as JSON."""
    prose = {"title", "homepage", "published", "training_set"}
    chosen = {key: value for key, value in CATALOGUE[wildcards.model].items() if key not in prose}
    wanted = {"card": chosen, "toco": config["toco"]}
    return json.dumps(wanted, sort_keys=True)


def locked_artifacts():
    """Return the artifacts whose digests are kept in artifacts.lock."""
    path = f"{workflow.basedir}/artifacts.lock"
    with open(path, encoding="utf-8") as file:
        return [f"results/{name}" for name in json.load(file)]


# What is kept of the JavaScript packages that web/package-lock.json lists.
WASM_BACKEND = "@tensorflow/tfjs-backend-wasm/dist"
JAVASCRIPT = [
    "@litertjs/core/dist/index.js",
    "@litertjs/core/wasm/litert_wasm_internal.js",
    "@litertjs/core/wasm/litert_wasm_internal.wasm",
    "@litertjs/wasm-utils/dist/bundle.js",
    "@tensorflow/tfjs/dist/tf.min.js",
    f"{WASM_BACKEND}/tf-backend-wasm.min.js",
    f"{WASM_BACKEND}/tfjs-backend-wasm.wasm",
    f"{WASM_BACKEND}/tfjs-backend-wasm-simd.wasm",
    f"{WASM_BACKEND}/tfjs-backend-wasm-threaded-simd.wasm",
    "@tensorflow/tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js",
]
# TFLite variants that take and give integers.
INTEGER_ENDS = ("int8_io", "uint8_io", "toco_uint8")
OPENVINO_VARIANTS = ["float32"]
TFJS_VARIANTS = ["float32", "float16", "uint16", "uint8", "planned"]
OTHER_PURPOSE = {"calibration": "evaluation", "evaluation": "calibration"}
CATALOGUE, DATASETS = load()
prepare_jobs()
ALIVE = hold_folder()
say_browser()


wildcard_constraints:
    model=one_of(CATALOGUE),
    graph="main|inference|detect_[a-z0-9_]+",
    variant=one_of(cards.VARIANTS),
    dataset=one_of(DATASETS),
    purpose=one_of(OTHER_PURPOSE),
