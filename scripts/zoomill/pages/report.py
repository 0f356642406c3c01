"""What the report shows: a row for each artifact, and what is known of each model, from evidence alone."""

import collections
import os

from zoomill.pages import output_kind
from zoomill.plan import gates
from zoomill.proof import binding, metric_loss, told_studies

# Of a backend that TensorFlow.js models are timed on, the usual one of a page.
_BACKEND = "wasm"


def rows(evidence, metrics, gated, looked, contracts, cards):
    """Return what the table has of each artifact.

    Args:
        evidence: documents of artifacts.
        metrics: documents of those that are evaluated, from :func:`zoomill.proof.binding.documents`.
        gated: documents of deploy gates.
        looked: :class:`zoomill.proof.told_studies.Study` of each closer look.
        contracts: ``{(model, graph): contract}``.
        cards: ``{model: title, task, training_set …}``.

    Returns:
        List of dicts with what documents and cards call so, ``format``; ``classes`` (int or None); ``input`` (words);
        ``operators`` (how many, or None) and ``kinds`` (``{operator: how many}``); ``ends`` (``inputs`` and ``outputs``
        of a .tflite file); ``parity`` and ``limits``; ``metric`` (None, or ``name``, ``value``, ``low``, ``high``,
        ``more_is_better``); ``loss`` against float32 and ``loss_of_source`` against the source, where a ledger leads to
        it (None, or a :class:`metric_loss.Loss`); ``latency`` (median in milliseconds, or None); ``gates`` (``{gate:
        state, verdict, said, why}``); ``looked`` (the studies of it); ``state`` (see :func:`state`); ``said`` (phrases
        on what failed, was not tested or is stale).
    """
    # TFLite Micro's own figures are of the C array.
    measured = {_about(item): item for item in binding.current(metrics) if item.get("kernels") != "micro"}
    asked = collections.defaultdict(list)
    for item in gated:
        asked[_about(item)].append(item)
    found = [
        _row(item, measured.get(_about(item)), asked[_about(item)], contracts, cards[item["model"]])
        for item in evidence
    ]
    for row, item in zip(found, evidence, strict=True):
        _look(row, looked, measured.get(_about(item)))
    return found


def _look(row, looked, metric):
    """Add the studies of an artifact to its row, and what of them is of other bytes to what is said."""
    own = [study for study in looked if (study.name.model, os.path.basename(str(study.name))) == _place(row)]
    stale = [study for study in own if told_studies.is_stale(study, row["sha256"], metric and metric["rows_sha256"])]
    row["looked"] = [study for study in own if study not in stale]
    row["said"] += [f"stale: make {study.path} again" for study in stale]
    ledgers = [study.document["whole"] for study in row["looked"] if study.key == "ledgers"]
    row["loss_of_source"] = next(map(metric_loss.Loss.of, filter(None, ledgers)), None)


def _place(row):
    return row["model"], row["artifact"]


def _about(item):
    """Return what evidence is about; two models may have a file of the same bytes."""
    return item["model"], item["artifact"], item["sha256"]


def _row(item, metric, gated, contracts, card):
    contract = contracts[item["model"], item["graph"]]
    scored = output_kind.scored(contract, card)
    loss = metric and next(map(metric_loss.Loss.of, metric["against"]), None)
    operators = item.get("operators")
    return {
        **{key: item[key] for key in ("model", "graph", "variant", "artifact", "bytes", "sha256", "verdict")},
        **{key: card[key] for key in ("title", "task", "training_set", "dataset")},
        "format": item["artifact"].rpartition(".")[2],
        "classes": output_kind.class_count(scored, output_kind.kind(scored, card)),
        "input": ", ".join(words(promise) for promise in contract["inputs"]),
        "kinds": operators or {},
        "operators": sum(count for name, count in operators.items() if name != "Const") if operators else None,
        "ends": {side: item[side] for side in ("inputs", "outputs") if isinstance(item.get(side), list)},
        "parity": item.get("parity", {}),
        "limits": item.get("limits", {}),
        "metric": metric and _metric(metric),
        "loss": loss,
        "latency": _latency(item, gated),
        "gates": {found["gate"]: _gate(found) for found in gated},
        "state": state(item),
        "said": [*item["failures"], *(f"not tested: {phrase}" for phrase in item["not_tested"])],
    }


def words(promise):
    """Return an input of a contract in words: its shape without the batch, dtype and range."""
    shape = " × ".join(map(str, promise["shape"][1:])) or "one"
    low, high = promise["value_range"] or (None, None)
    limits = "" if low is None or isinstance(low, list) else f" in {low:g} … {high:g}"
    return f"{shape} {promise['dtype']}{limits}"


def state(item):
    """Return ``passed``, ``failed``, ``untested``, or ``no`` where the question does not arise."""
    if item.get("reason"):
        return "no"
    return "passed" if item["passed"] else "failed" if item["failures"] else "untested"


def _metric(item):
    low, high = item["interval"] or (None, None)
    value = item["values"][item["figure"]]
    name = item["figure"] + metric_loss.note(item)
    return {"name": name, "value": value, "low": low, "high": high, "more_is_better": item["more_is_better"]}


def _gate(item):
    return {
        "state": state(item),
        "verdict": "no" if item["reason"] else item["verdict"],
        "said": item["said"],
        "why": [item["reason"]] if item["reason"] else [*item["failures"], *item["not_tested"]],
    }


def _latency(item, gated):
    """Return the median of one thread alone by the latency gate, or that of a TensorFlow.js model in Node."""
    for found in gated:
        if found["gate"] == "latency" and found.get("threads"):
            return found["threads"]["1"]["median_ms"]
    return item.get("backends", {}).get(_BACKEND, {}).get("median_ms")


def columns(found):
    """Return the gates that any row was asked, as rows of :data:`zoomill.plan.gates.TABLE`."""
    asked = {gate for row in found for gate in row["gates"]}
    return [gate for gate in gates.TABLE if gate.name in asked]
