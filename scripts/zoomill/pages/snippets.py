"""Short programs for people who take an artifact into a program of their own, written from the contract."""

import math
import re

import jinja2

from zoomill import escape
from zoomill.pages import decoder_programs, output_kind
from zoomill.plan import variants
from zoomill.plan.artifact_name import c_name

# What is named when several files would do: the smaller first, and those that most machines run quickly.
_LIKED = ("int8", "float16", "dynamic", "float32")
_IN_C = ("int8_io", "int8", "int8_tensor", "float32")


class Snippets:
    """Programs for the graphs of models.

    Args:
        templates: folder of ``snippet.*.jinja``.
    """

    def __init__(self, templates):
        options = {"undefined": jinja2.StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
        # They are programs; the page that shows them escapes them for HTML.
        self._environment = jinja2.Environment(loader=jinja2.FileSystemLoader(templates), autoescape=False, **options)
        self._environment.filters |= {"python": _python, "line": escape.line, "kotlin": _kotlin, "added": _added}
        self._environment.filters["product"] = math.prod

    def of_graph(self, contract, card, rows):
        """Return ``(language, file that it is for, program)`` for every language that a graph has an artifact for.

        Args:
            contract: contract of the graph.
            card: what the model's card says.
            rows: those of :func:`zoomill.pages.report.rows` that are of the graph.
        """
        known = _known(contract, card)
        flat = [row for row in rows if row["format"] == "tflite" and _is_as_promised(row, contract)]
        found = []
        if chosen := _first(flat, _LIKED):
            found.append(("Python", chosen, self._render("py", known, chosen)))
            if known["picture"] or len(contract["inputs"]) == 1:
                found.append(("Android", chosen, self._render("kt", known, chosen)))
        if chosen := _first([row for row in rows if row["format"] == "tfjs"], ("uint8", "float16", "float32")):
            found.append(("JavaScript", chosen, self._render("js", known, chosen)))
        if chosen := _first([row for row in rows if _is_for_micro(row, contract)], _IN_C):
            known["c_name"] = c_name(card["c_name"], contract["graph"], chosen["variant"])
            found.append(("C++ for TFLite Micro", chosen, self._render("cc", known, chosen)))
        return [(language, row["artifact"], text) for language, row, text in found]

    def _render(self, end, known, row):
        return self._environment.get_template(f"snippet.{end}.jinja").render(**known, row=row)


def _known(contract, card):
    """Return what the templates know of a graph."""
    scored = output_kind.scored(contract, card)
    how, inputs = output_kind.kind(scored, card), contract["inputs"]
    is_picture = len(inputs) == 1 and output_kind.is_picture(inputs[0])
    return {
        "model": contract["model"],
        "graph": contract["graph"],
        "how": how,
        "inputs": inputs,
        "outputs": contract["outputs"],
        "scores": scored["outputs"][0]["name"],
        "first": output_kind.first_class(scored, how),
        "labelled": bool(contract["labels"]),
        "picture": decoder_programs.picture(inputs[0], card["preprocess"]) if is_picture else None,
    }


def _first(rows, liked):
    """Return the row of the variant that is liked most, of others the first; of those that passed, if any did."""
    rows = [row for row in rows if row["state"] == "passed"] or rows
    places = {variant: place for place, variant in enumerate(liked)}
    return min(rows, key=lambda row: places.get(row["variant"], len(places)), default=None)


def _is_as_promised(row, contract):
    """Tell whether a .tflite file takes and gives the contract's own dtypes: no integers in the place of floats."""
    return all(
        sorted(end["dtype"] for end in row["ends"][side]) == sorted(entry["dtype"] for entry in contract[side])
        for side in ("inputs", "outputs")
    )


def _is_for_micro(row, contract):
    """Tell whether the program for TFLite Micro fits a file: one input and one output, of floats or int8."""
    if row["format"] != "tflite" or [len(contract[side]) for side in ("inputs", "outputs")] != [1, 1]:
        return False
    ends = {row["ends"][side][0]["dtype"] for side in ("inputs", "outputs")}
    refused = any(known.no_micro for known in variants.rows(format="tflite", name=row["variant"]))
    return not refused and ends <= {"float32", "int8"}


def _python(value):
    """Return a value as Python, with the quotes that are usual."""
    text = repr(value)
    return f'"{text[1:-1]}"' if text.startswith("'") and '"' not in text and "\\'" not in text else text


def _added(value, mark=""):
    """Return what is written behind a number to add a value, nothing for 0; ``mark`` stands behind it."""
    if value == 0:
        return ""
    return f" - {-value}{mark}" if not isinstance(value, list) and value < 0 else f" + {value}{mark}"


def _kotlin(text):
    """Return text as a Kotlin string."""
    return '"' + re.sub(r'[\\"$]', r"\\\g<0>", escape.line(text)) + '"'
