"""Made-up documents that a report is written of, with text of strangers in all places."""

import hashlib
import json

from conftest import REPOSITORY

from zoomill import files

TEMPLATES = sorted((REPOSITORY / "scripts/zoomill/pages/templates/report").iterdir())
HOSTILE = '<script>alert("1")</script>'
CONTRACT = {
    "model": "small",
    "graph": "main",
    "inputs": [{"name": "x", "dtype": "float32", "shape": [1, 4, 4, 3], "layout": "NHWC", "colour": "RGB"}],
    "outputs": [{"name": "y", "dtype": "float32", "shape": [1, 3], "meaning": HOSTILE}],
    "labels": ["a", "b", "c"],
    "label_offset": 0,
}
CONTRACT["inputs"][0]["value_range"] = [0, 1]
CARD = {
    "title": HOSTILE,
    "task": "image-classification",
    "training_set": HOSTILE,
    "preprocess": {},
    "decode": {},
    "output": None,
    "licence": HOSTILE,
    "homepage": "javascript:alert(1)",
    "dataset": "digits",
    "c_name": "small",
    "kind": "keras",
    "files": [{"name": HOSTILE, "size": 7, "sha256": "0" * 64}, {"name": "b", "size": None, "sha256": None}],
}
SIZES = {"float32": 90000, "float16": 9000, "int8": 20000}
DIGESTS = {variant: hashlib.sha256(variant.encode()).hexdigest() for variant in SIZES}


def evidence(variant, **more):
    return {
        "model": "small",
        "graph": "main",
        "variant": variant,
        "artifact": f"main.{variant}.tflite",
        "sha256": DIGESTS[variant],
        "bytes": SIZES[variant],
        "operators": {"CONV_2D": 2, "SOFTMAX": 1, HOSTILE: 1},
        **{side: [{"dtype": entry["dtype"]} for entry in CONTRACT[side]] for side in ("inputs", "outputs")},
        "parity": {"y": {"sqnr": 42.4, "share": 0.0125, "decisions": 0.75}, HOSTILE: {"sqnr": 41.4}},
        "limits": {"sqnr": 10, "share": 0.8, "decisions": 0.8},
        "failures": [],
        "not_tested": [],
        "verdict": "passed",
        "passed": True,
        **more,
    }


def metric(variant, value, **more):
    against = {"of": "main.float32", "difference": value - 0.9, "interval": [-0.1, 0.1], "verdict": "not told apart"}
    return {
        **{"model": "small", "graph": "main", "variant": variant, "artifact": f"main.{variant}.tflite"},
        **{
            "sha256": DIGESTS[variant],
            "rows_sha256": f"rows of {variant}",
            "figure": "top_1",
            "values": {"top_1": value},
            "interval": [value - 0.05, value + 0.04],
        },
        **{"samples": 100, "more_is_better": True, "against": [against] * (variant != "float32"), **more},
    }


def gate(variant, name, **more):
    found = {"gate": name, "said": "", "reason": None, **more}
    return {**evidence(variant), **found}


def step(title, difference, verdict, rows=""):
    compared = {"difference": difference, "interval": [difference - 0.01, difference + 0.01], "verdict": verdict}
    return {"title": title, "value": 0.5, "rows_sha256": rows, "p": 0.01, **compared}


def ledger(variant, **more):
    """Return a ledger of which the second step loses."""
    steps = [step("conversion", 0, "not told apart"), step(HOSTILE, -0.4, "loss", f"rows of {variant}")]
    return {
        **{"model": "small", "graph": "main", "variant": variant, "figure": "top_1", "samples": 100},
        **{"first": step("source", 0, ""), "steps": steps, "others": [], "whole": step("whole", -0.4, "loss")},
        **more,
    }


def sweep(variant, **more):
    own = {"nms_score_threshold": 0.3, "max_detections": 10}
    against = {"difference": 0.05, "interval": [0.01, 0.08], "verdict": "gain"}
    advice = {
        "by": "f1_50",
        "take": "best",
        "own": own,
        "best": {**own, "nms_score_threshold": 0.5},
        "against": against,
    }
    return {
        "model": "small",
        "sha256": DIGESTS[variant],
        "advice": [{**advice, "by": "map", "take": "own"}, advice],
        **more,
    }


def tensors(variant, **more):
    worst = {"tensor": HOSTILE, "operator": "CONV_2D", "sqnr": 12.4, "sqnr_lost": None}
    lost = {"tensor": "entry", "operator": "ADD", "sqnr": 30, "sqnr_lost": 7.8}
    return {"model": "small", "quantised_sha256": DIGESTS[variant], "tensors": [worst, lost], **more}


SOURCE = {
    "graphs": [
        {"operators": {"Dense": 2, f"{HOSTILE}\ud800": 1}, "parameters": {"float32": {"count": 1234, "bytes": 4936}}}
    ],
    "checkpoint": None,
}


def paths(folder, others=None, looked=()):
    """Write all documents and return the flags that name them.

    Args:
        folder: to write them to.
        others: ``{variant: bytes}`` of artifacts that are not those of the evidence.
        looked: ``(name of the file, document, drawing)`` of closer looks.
    """
    failed = {"failures": [f"y: {HOSTILE}"], "verdict": "failed", "passed": False}
    small = folder / "results/small"
    found = {
        "evidence": [evidence("float32"), evidence("float16"), evidence("int8", **failed)],
        "metrics": [metric("float32", 0.9), metric("float16", 0.91), metric("int8", 0.5, interval=None)],
        "gates": [
            gate("int8", "micro", said="13 KiB"),
            gate("float32", "micro", said="of the same bytes", model="other"),
            gate("float16", "micro", reason=HOSTILE, passed=True),
            gate("int8", "latency", threads={"1": {"median_ms": 1.25}}, said="1.25 ms"),
        ],
        "contracts": [CONTRACT],
        "sources": [SOURCE],
    }
    flags = []
    for variant in SIZES:
        data = (others or {}).get(variant, variant.encode())
        files.write_bytes(small / f"main.{variant}.tflite", data, recorded=False)
    for flag, items in found.items():
        flags.append(f"--{flag}")
        for number, item in enumerate(items):
            name = f"main.{item['variant']}.metric.json" if flag == "metrics" else f"{flag}{number}.json"
            files.write_json(small / name, item, recorded=False)
            flags.append(f"results/small/{name}")
    flags.append("--looked")
    for name, item, drawing in looked:
        files.write_json(small / name, item, recorded=False)
        flags.append(f"results/small/{name}")
        files.write_bytes(small / drawing, b"<svg><title>drawn</title></svg>", recorded=False)
    drawings = [f"results/small/{drawing}" for *_, drawing in looked]
    return [*flags, "--drawings", *drawings, "--cards", json.dumps({"small": CARD}), "--templates", *TEMPLATES]


def many(folder, models, variants):
    """Write documents of many models, whose metric grows with their number, and return the flags that name them.

    Args:
        folder: to write them to.
        models: how many.
        variants: of each, all of one file's bytes.
    """
    flags, names = {"evidence": [], "metrics": [], "contracts": []}, [f"m{number:03}" for number in range(models)]

    def write(flag, end, document):
        path = folder / f"results/{document['model']}/{end}"
        files.write_json(path, document, recorded=False)
        flags[flag].append(path.relative_to(folder))

    for number, model in enumerate(names):
        write("contracts", "contract.json", {**CONTRACT, "model": model})
        for place, variant in enumerate(variants):
            own = {
                "model": model,
                "variant": variant,
                "artifact": f"main.{variant}.tflite",
                "bytes": 99 * place + number,
            }
            write("evidence", f"{own['artifact']}.json", {**evidence("float32"), **own})
            write("metrics", f"main.{variant}.metric.json", {**metric("float32", 0.5 + 0.003 * number), **own})
            files.write_bytes(folder / f"results/{model}/{own['artifact']}", b"float32", recorded=False)
    cards = json.dumps(dict.fromkeys(names, CARD))
    named = [word for flag, found in flags.items() for word in (f"--{flag}", *found)]
    return [*named, "--cards", cards, "--templates", *TEMPLATES]
