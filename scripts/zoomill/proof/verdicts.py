"""What evidence says that is no pass, a line for each.

Snakemake deletes what a failed job wrote, so a job that finds a fault succeeds and its evidence stays. The verdict is
told when the run is over, after all that can be built was built; also when there was nothing to do.
"""

import collections
import functools
import os
import re

from zoomill import files, folders
from zoomill.errors import UserError
from zoomill.plan import gates, variants
from zoomill.proof import binding, metric_loss

_ENDS = "|".join((*variants.FORMATS, *gates.NAMES))
_EVIDENCE = re.compile(rf"^results/[^/]+/(?:browser|[^/]+\.(?:{_ENDS})|[^/.]+\.[^/]+\.metric|source\.metric)\.json$")
# Figures of what a source gave, which is in build/ and no artifact.
_SOURCE = "/source.metric.json"
# Where int8 is good enough, this is the same file and its record says so.
_AS_INT8 = "int8_mixed"


def of_wanted(dag, drops):
    """Return a line for every verdict that is no pass, of the evidence among the targets and what they are made of.

    Evidence that was to be made again and was not, as something before it failed, counts for nothing.

    Args:
        dag: Snakemake's.
        drops: ``{model: {variant: largest loss of its metric}}``.
    """
    made = {str(path) for job in dag.jobs if dag.noneedrun_finished(job) for path in job.output}
    lines, about, metrics = [], [], []
    digest = functools.cache(folders.digest)
    for path in filter(os.path.exists, filter(_EVIDENCE.search, made)):
        try:
            document = files.read_json(path)
            about += _about(path, document)
            if path.endswith(".metric.json"):
                metrics += binding.documents([path], digest)
            else:
                lines += of_evidence(document)
        except (ValueError, KeyError, AttributeError):
            model = path.split("/")[1]
            lines.append(f"{model}: {path} is damaged; make it again with: snakemake -j1 --force {path}")
        except UserError as error:  # so is the record beside it
            lines += error.args
    # Of an artifact with other bytes there is a line anyhow, of all its evidence.
    told = [item for item in metrics if item["stale"] == [binding.ARTIFACT] and item["variant"] != "source"]
    lines += binding.failures(item for item in metrics if item not in told)
    return [*lines, *of_bytes(about), *of_twins(about), *metric_loss.failures(binding.current(metrics), drops)]


def _about(path, document):
    """Return ``(artifact, evidence, document)`` of each artifact that evidence is about, for :func:`of_bytes`."""
    if path.endswith(_SOURCE):
        return []
    folder = os.path.dirname(path)
    return [(os.path.join(folder, item["artifact"]), path, item) for item in document.get("artifacts", [document])]


def of_evidence(document):
    """Return a line for every phrase of evidence that says what failed or could not be tested."""
    lines = []
    for item in document.get("artifacts", [document]):  # that of Chromium is about several
        where = ": ".join(dict.fromkeys((document["model"], document["artifact"], item["artifact"])))
        lines += [f"{where}: {phrase}" for phrase in item["failures"]]
        lines += [f"{where}: not tested: {phrase}" for phrase in item.get("not_tested", [])]
    return lines or ([] if document["passed"] else [f"{document['model']}: {document['artifact']}: did not pass"])


def of_bytes(about):
    """Return a line for every artifact that is not what its evidence is about.

    Args:
        about: ``(artifact, evidence, document)``; paths, and what stands in the evidence about the artifact.
    """
    there = {artifact for artifact, *_ in about if os.path.exists(artifact)}
    digests = {artifact: folders.digest(artifact) for artifact in there}
    strays = collections.defaultdict(set)
    for artifact, evidence, document in about:
        if digests.get(artifact) != document["sha256"]:
            strays[document["model"], artifact].add(evidence)
    return [
        f"{model}: {os.path.basename(artifact)} was changed after it was validated; "
        f"restore it with: snakemake -j1 --force {artifact} {' '.join(sorted(evidence))}"
        for (model, artifact), evidence in strays.items()
    ]


def of_twins(about):
    """Return a line for variants of one graph and format that have the same bytes; ``about`` as in :func:`of_bytes`."""
    twins = collections.defaultdict(set)
    for artifact, _, document in about:
        if f".{_AS_INT8}." in document["artifact"]:
            continue
        form = artifact.rpartition(".")[2]
        twins[document["model"], document["graph"], form, document["sha256"]].add(document["artifact"])
    return [
        f"{model}: {' and '.join(sorted(names))} have the same bytes, so one is not what its name says"
        for (model, *_), names in twins.items()
        if len(names) > 1
    ]
