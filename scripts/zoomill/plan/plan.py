"""What the rules are given: input functions and params, by wildcards, from configuration and cards."""

import functools
import json
import os

from zoomill.plan import cards, code_digest, gates, provenance, samples, variants
from zoomill.plan.artifact_name import ArtifactName, c_name, parse
from zoomill.plan.backends import Backends
from zoomill.plan.deploy import Deploy
from zoomill.plan.downloads import Downloads, index
from zoomill.plan.golden_inputs import GoldenInputs
from zoomill.plan.ledger import Ledger
from zoomill.plan.names import pattern
from zoomill.plan.pages import Pages
from zoomill.plan.pictures import Pictures
from zoomill.plan.scoring import Scoring
from zoomill.plan.tfjs import Tfjs
from zoomill.plan.wanted import Wanted


class Plan:
    """Input functions of the rules; those with further arguments return one.

    Args:
        config: the configuration.
        catalogue, datasets: ``{name: card}``.
        root: folder of the repository, relative to the working directory.
        named: words that are the models of targets, where they are models.

    Attributes:
        wanted: what the configuration asks for.
        calibration, evaluation: the samples for either purpose.
        backends, deploy, downloads, golden_inputs, ledger, pages, pictures, scoring, tfjs: input functions about all
            ways to run the files of a graph, gates, what is fetched, golden inputs, ledgers, pages, pictures of what
            artifacts find, scoring, TensorFlow.js models.
    """

    def __init__(self, config, catalogue, datasets, root, named):
        self.config, self.catalogue, self.datasets, self.root = config, catalogue, datasets, root
        self._named = named
        self.wanted = Wanted(config, catalogue)
        self.downloads = Downloads(config, catalogue, datasets, self.file)
        self.pages, self.deploy = Pages(config, catalogue), Deploy(config)
        self.backends = Backends(self.wanted)
        self.tfjs = Tfjs(catalogue, self.wanted, self._limits, self.file)
        self.calibration, self.evaluation = (
            samples.Samples(purpose, catalogue, datasets) for purpose in samples.PURPOSES
        )
        self.scoring = Scoring(config, catalogue, datasets, self.evaluation)
        self.golden_inputs = GoldenInputs(catalogue, datasets, self.evaluation, self.calibration)
        self.pictures = Pictures(config, self.wanted, self.golden_inputs)
        self.ledger = Ledger(catalogue, datasets, self.evaluation, self.wanted.in_browser, self.scoring.task)

    # Our own files.

    def repository(self, wildcards):
        """Return the folder of the repository, relative to the working directory."""
        return self.root

    def file(self, path):
        """Return a file of the repository, relative to the working directory."""
        return os.path.normpath(os.path.join(self.root, path))

    def code(self, command):
        """Return a command in scripts/ and the file that changes with it and all that it imports."""
        script = self.file(f"scripts/{command}.py")
        return [script, code_digest.of(script)]

    def templates(self):
        """Return the templates of the programs that read a model's outputs."""
        return [self.file(f"scripts/zoomill/pages/templates/decode.{end}.jinja") for end in ("js", "py")]

    def report_templates(self):
        """Return the templates of the report, with what they need."""
        pages = ("page", "artifacts", "index", "model", "closer", "facts", "pictures")
        snippets = (f"snippet.{end}.jinja" for end in ("py", "kt", "js", "cc"))
        files = (*(f"{name}.html.jinja" for name in pages), *snippets, "report.css", "report.js")
        return [self.file(f"scripts/zoomill/pages/templates/report/{name}") for name in files]

    def output_folder(self, wildcards, output):
        """Return the folder of a job's outputs."""
        return os.path.dirname(output[0])

    def locked(self, what):
        """Return those of configured models whose digests artifacts.lock keeps, or what of them, a key of ``ENDS``."""
        with open(self.file("artifacts.lock"), encoding="utf-8") as file:
            names = [parse(f"results/{name}")[0] for name in json.load(file)]
        return [name.file(what) for name in names if name.model in self.config["models"]]

    # Cards.

    @functools.cached_property
    def models(self):
        """``{model: card}`` of all that jobs can be about and whose card can be read."""
        named = {*self.config["models"], *self._named}
        return self.catalogue.read(model for model in self.catalogue if model in named)[0]

    def of_kind(self, kind):
        """Return a pattern that matches those of :attr:`models` that have a kind of source."""
        return pattern(model for model, card in self.models.items() if card["source"]["kind"] == kind)

    def cards(self, wildcards):
        """Return all cards that can be read."""
        return [self.file(card["file"]) for card in self.catalogue.read()[0].values()]

    def card(self, *keys):
        """Return an input function for a value of the model's card."""

        def get(wildcards):
            value = self.catalogue[wildcards.model]
            for key in keys:
                value = value[key]
            return value

        return get

    def json(self, *keys):
        """Return an input function for a value of the model's card, as JSON in the card's own order."""
        return lambda wildcards: json.dumps(self.card(*keys)(wildcards))

    def source(self, key):
        """Return an input function for an option of the model's source."""
        return self.card("source", key)

    def source_options(self, wildcards):
        """Return how the card describes the source, but for its kind and files, as JSON: tensors are in its order."""
        source = self.catalogue[wildcards.model]["source"]
        return json.dumps({key: value for key, value in source.items() if key not in ("kind", "files")})

    def main_file(self, wildcards):
        """Return the file of a source that says what the model is, inside its folder."""
        source = self.catalogue[wildcards.model]["source"]
        return next(source[key] for key in ("path", "graph", "config", "frozen_graph") if key in source)

    def expectations(self, wildcards):
        """Return what the card expects of the source's interface, and says of the model, as JSON."""
        card = self.catalogue[wildcards.model]
        stated = ["postprocess"] if card["postprocess"] else []
        expected = {key: card[key] for key in ("inputs", "outputs", "labels", "label_offset", *stated)}
        return json.dumps({**expected, "about": self._about(card)})

    def about(self, wildcards):
        """Return what the card says of the model for its contracts, as JSON."""
        return json.dumps(self._about(self.catalogue[wildcards.model]))

    def _about(self, card):
        return {key: card[key] for key in ("title", "task", "licence")}

    def graph_options(self, wildcards):
        """Return the post-processing options that the card sets for a single graph, as JSON."""
        options = cards.postprocess_options(self.catalogue[wildcards.model], wildcards.graph)
        return json.dumps(options, sort_keys=True)

    def limits(self, wildcards):
        """Return the limits of a variant, as JSON."""
        return json.dumps(self._limits(wildcards.model, wildcards.variant), sort_keys=True)

    def limits_flags(self, wildcards):
        """Return the flag that names the limits of a variant."""
        return ["--limits", self.limits(wildcards)]

    def _limits(self, model, variant):
        usual = variants.rows(name=gates.MEASURED_AS.get(variant, variant))[0].limits
        return {**usual, **self.config["limits"].get(variant, {}), **self.catalogue[model]["limits"].get(variant, {})}

    def variant(self, form, name=None):
        """Return an input function for what a variant's file must look like, that of the wildcard if none is named."""
        return lambda wildcards: json.dumps(variants.promises(form, name or wildcards.variant))

    # Samples.

    def _samples(self, purpose):
        return {"calibration": self.calibration, "evaluation": self.evaluation}[purpose]

    def sample_index(self, wildcards):
        """Return the index that a list of samples is chosen from."""
        return self.file(index(self._samples(wildcards.purpose).of(wildcards.model)["dataset"]))

    def sample_choice(self, wildcards):
        """Return which samples are chosen, as JSON."""
        return json.dumps(self._samples(wildcards.purpose).of(wildcards.model)["samples"])

    def _other(self, wildcards):
        (other,) = {*samples.PURPOSES} - {wildcards.purpose}
        return self._samples(other).of(wildcards.model)

    def other_index(self, wildcards):
        """Return the index of the other purpose, with whose list no sample may be shared, nothing without."""
        other = self._other(wildcards)
        return self.file(index(other["dataset"])) if other else []

    def other_choice(self, wildcards):
        """Return which samples the other purpose has, as JSON."""
        other = self._other(wildcards)
        return json.dumps(other["samples"] if other else None)

    # Graphs.

    def graph_of_source(self, file):
        """Return an input function for a file of the graph nearest to a model's source."""

        def get(wildcards):
            graph = "main" if "main" in self.catalogue[wildcards.model]["graphs"] else "detect_cut"
            return f"build/{wildcards.model}/{graph}/{file}"

        return get

    def anchors_of_source(self, wildcards):
        """Return the anchors of a detector, nothing for other models."""
        return [] if "main" in self.catalogue[wildcards.model]["graphs"] else "build/{model}/detect_cut/anchors.npy"

    def golden(self, wildcards):
        """Return the golden outputs of a graph, which all of a detector share; nothing for a source as it is."""
        if wildcards.graph == gates.SOURCE:
            return []
        return ArtifactName(wildcards.model, wildcards.graph, "float32", "tflite").golden

    def anchors(self, wildcards):
        """Return the anchors of a detector, nothing for other graphs."""
        return "build/{model}/detect_cut/anchors.npy" if wildcards.graph.startswith("detect_") else []

    # TFLite.

    def calibration_of(self, wildcards):
        """Return the calibration of a variant that ai-edge-quantizer makes of one, nothing for others."""
        graph = "main" if wildcards.graph == "main" else "detect_cut"
        calibrated = variants.row("tflite", wildcards.variant).calibrated
        return f"results/{wildcards.model}/{graph}.calibration.json" if calibrated else []

    def float_file(self, wildcards):
        """Return the float32 file that a TFLite variant is derived from, nothing for those that are converted."""
        row = variants.row("tflite", wildcards.variant)
        return "results/{model}/{graph}.float32.tflite" if row.made_from not in ("graph", "source") else []

    def conversion_figures(self, wildcards):
        """Return the figures that TOCO logged, for its variants."""
        by_toco = variants.row("tflite", wildcards.variant).maker == "run_toco"
        return "build/{model}/{graph}/{variant}.json" if by_toco else []

    def default_ranges(self, wildcards):
        """Return the lowest and highest value that the card sets for activations of toco_uint8, nothing otherwise."""
        chosen = self.catalogue[wildcards.model]["toco"] if wildcards.variant == "toco_uint8" else {}
        return chosen.get("default_ranges", [])

    def c_name(self, wildcards):
        """Return what an artifact is called in C."""
        known_as = self.catalogue[wildcards.model]["c_name"]
        return c_name(known_as, wildcards.graph, wildcards.variant, wildcards.compiled)

    # Reproducing.

    def model_artifacts(self, wildcards):
        """Return the configured artifacts of a model."""
        return self.wanted.paths(models=[wildcards.model])

    def model_goldens(self, wildcards):
        """Return the golden outputs of the graphs that a model's configured artifacts come from."""
        return sorted({name.golden for name in self.wanted.artifacts(models=[wildcards.model])})

    def makers(self, workflow):
        """Return an input function for our own files and the environment that commands have, as JSON.

        Args:
            workflow: Snakemake's; its rules are all there when a job is planned.
        """

        def get(wildcards):
            found = provenance.of_rules(workflow.rules, self.file("envs"))
            used = [chosen.of(wildcards.model) for chosen in (self.calibration, self.evaluation)]
            names = {chosen["dataset"] for chosen in used if chosen} & {*self.downloads.datasets_by("generator")}
            modules = {path for name in names for path in self.downloads.generator(name)}
            found["generate_dataset"]["beside"] = sorted(modules)
            return json.dumps(found, sort_keys=True)

        return get

    def parameters(self, wildcards):
        """Return everything of the card and the configuration that shapes an artifact, as JSON."""
        prose = {"homepage", "published", "training_set", "file"}
        chosen = {key: value for key, value in self.catalogue[wildcards.model].items() if key not in prose}
        # Where a file of one's own stands shapes nothing, and is nobody's business.
        files = [
            {**file, "urls": [url for url in file["urls"] if not url.startswith(("/", os.pardir))]}
            for file in chosen["source"]["files"]
        ]
        chosen["source"] = {**chosen["source"], "files": files}
        return json.dumps({"card": chosen, "toco": self.config["toco"]}, sort_keys=True)
