"""Whether a figure still is one of what stands there: each is bound to the parts that it was measured on, by digests.

Evidence of metrics holds the digests (:mod:`zoomill.evaluation.harness`), the record beside it where the parts stand
(:mod:`zoomill.made`). A part that has no digest there, or stands there no more, is compared with nothing, but for the
artifact. Needs the standard library only, as reports and the end of a run ask it.
"""

import functools
import os

from zoomill import files, folders, made
from zoomill.plan import artifact_name
from zoomill.proof import evaluator

# The parts that are files of a run besides the artifact, with their keys in evidence.
_FILES = {
    "contract": "contract_sha256",
    "anchors": "anchors_sha256",
    "sample list": "samples_sha256",
    "data set": "dataset_sha256",
}
# Those that are ours, by the command that measured.
_OURS = {
    "evaluator": ("evaluator_sha256", lambda command: evaluator.code_digest()),
    "runner": ("runner_sha256", evaluator.runner_digest),
    "environment": ("environment_sha256", lambda command: evaluator.environment_digest()),
}
ARTIFACT, COMPARED = "artifact", "what it is compared with"


def documents(paths, digest=None):
    """Return metric evidence as :mod:`zoomill.evaluation.harness` wrote it, with two keys more.

    ``stale`` are the names of the parts that differ, ``renewal`` the files to make again. Evidence that lies in the
    place of another artifact's is returned as one about that.

    Args:
        paths: of the evidence.
        digest: function from a path to the digest of what stands there now; they are not read twice without.
    """
    digest = digest or functools.cache(folders.digest)
    return [_told(path, files.read_json(path), digest) for path in paths]


def _told(path, document, digest):
    parts, name = _stale(path, document, digest), _name(path)
    changed = sorted(place for place in parts.values() if place and made.changed(place))
    about = {"model": name.model, "graph": name.graph, "variant": name.variant, "artifact": _file(name)} if name else {}
    return {**document, **about, "stale": list(parts), "renewal": [*changed, path]}


def _stale(path, document, digest):
    """Return ``{part: its place}`` of what is no longer what a figure was measured on; our own parts have no place."""
    command, read = made.origin(path)
    found = _artifact(path, document, read, digest)
    places = {then: place for place, then in read.items()}
    compared = {f"{other['of']}.samples.jsonl" for other in document.get("against", []) if "of" in other}
    there = [(part, document.get(key), places.get(document.get(key))) for part, key in _FILES.items()]
    there += [(COMPARED, then, place) for place, then in read.items() if os.path.basename(place) in compared]
    for part, then, place in there:
        if place and os.path.exists(place) and digest(place) != then:
            found[part] = place
    for part, (key, now) in _OURS.items():
        if document.get(key) and (command or part != "runner") and now(command) != document[key]:
            found[part] = None
    return found


def _artifact(path, document, read, digest):
    """Return what differs of the artifact, as :func:`_stale` does."""
    name, then = _name(path), document.get("sha256")
    if name and document["artifact"] != _file(name):
        return {f"figure of {document['artifact']}": None}
    beside = os.path.join(os.path.dirname(path), document["artifact"])
    place = beside if name else next((other for other, known in read.items() if known == then), beside)
    return {} if os.path.exists(place) and digest(place) == then else {ARTIFACT: place}


def phrase(document):
    """Return what stands in the place of a figure that is stale, nothing of others."""
    return f"stale ({', '.join(document['stale'])})" if document["stale"] else ""


def current(documents):
    """Return those of :func:`documents` of which no part differs."""
    return [item for item in documents if not item["stale"]]


def failures(documents):
    """Return a line for every stale figure of :func:`documents`, with the command that renews it."""
    return [
        f"{item['model']}: {item['artifact']}: its figures are {phrase(item)}; "
        f"renew them with: snakemake -j1 --force {' '.join(item['renewal'])}"
        for item in documents
        if item["stale"]
    ]


def _name(path):
    """Return the :class:`zoomill.plan.artifact_name.ArtifactName` that metric evidence is of by its path, or None."""
    found = artifact_name.of_result(path)
    return found[0] if found and found[1] in ("metric", "micro_metric") else None


def _file(name):
    return os.path.basename(str(name))
