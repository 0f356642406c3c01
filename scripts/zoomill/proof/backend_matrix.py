"""All ways to run the files of a graph beside each other: how far their answers are apart, and where they part."""

import typing

from zoomill import escape, tables
from zoomill.proof import spread


class Backend(typing.NamedTuple):
    """A column.

    Attributes:
        name: in the evidence's figures.
        title: of the column.
        evidence: the end of the evidence that has them.
        against: what the answers are compared with there.
    """

    name: str
    title: str
    evidence: str
    against: str


# By the format of a file.
TABLE = {
    "tflite": (
        Backend("builtin", "built-in", "kernels", "reference"),
        Backend("builtin, 2 threads", "2 threads", "kernels", "reference"),
        Backend("xnnpack", "XNNPACK", "kernels", "reference"),
        Backend("xnnpack, 2 threads", "2 threads", "kernels", "reference"),
        Backend("micro", "TFLM", "kernels", "reference"),
        Backend("gpu", "GPU", "gpu", "built-in"),
        Backend("wasm", "LiteRT.js wasm", "litertjs", "built-in"),
        Backend("webgpu", "WebGPU", "litertjs", "built-in"),
    ),
    "tfjs": (
        Backend("wasm", "wasm", "spread", "cpu"),
        Backend("webgl", "webgl", "spread", "cpu"),
        Backend("webgpu", "webgpu", "spread", "cpu"),
    ),
}
_PARTING = {
    "differs": "differs from",
    "beyond": "beyond the limits from",
    "far": f"by more than {spread.FAR:.0%} from",
}
_HOW_FAR = {"steps": "{:.3g} steps", "share": "{:.1g}"}
_FIGURES = ("inputs", "values", "differ", "steps", "share", "decisions", "flips")
_LEGEND = (
    "How far answers are from those that they are compared with: the largest difference, in steps of integers or as a\n"
    "share of the largest value, and how many decisions are others. Bold: more than {steps} steps, {share:g} of the\n"
    "largest value, or {flips:.0%} of the decisions.\n"
)
_COMPARED = {
    "tflite": "LiteRT's kernels and TFLite Micro are compared with LiteRT's reference kernels, GPU and LiteRT.js with\n"
    "its built-in ones.\n",
    "tfjs": "TensorFlow.js is compared with its backend cpu, which is plain JavaScript.\n",
}


def row(variant, form, documents, limits):
    """Return what is told of a file.

    Args:
        variant, form: its own.
        documents: ``{end of the evidence: document}``.
        limits: as :func:`zoomill.proof.spread.beyond` takes them.

    Returns:
        ``variant``, ``format``, ``artifact``, ``sha256``, and ``backends``, one for each of :data:`TABLE`: figures as
        :class:`zoomill.proof.spread.Spread` has them, ``against`` what, whether they are ``beyond`` the limits, and
        ``first``, where it was looked for, the tensor where they part or a phrase for the operator at fault; or
        ``reason``, why it does not run there.
    """
    (about, *_) = documents.values()
    backends = {f"{one.evidence} {one.name}": _cell(documents[one.evidence], one, limits) for one in TABLE[form]}
    return {
        "variant": variant,
        "format": form,
        **{key: about[key] for key in ("artifact", "sha256")},
        "backends": backends,
    }


def _cell(document, backend, limits):
    figures, about = document["parity"].get(backend.name), document.get("backends", {}).get(backend.name, {})
    if not figures or not figures["inputs"]:
        refused = document.get("refused", {})
        refused = refused.get(backend.name) if isinstance(refused, dict) else None
        reasons = (refused, about.get("error"), document.get("reason"), *document["failures"], *document["not_tested"])
        return {"reason": next(filter(None, reasons), "it was not run")}
    # Evidence has no number for a difference that is none: an answer was infinite, or no number.
    endless = bool(figures["differ"]) and figures["steps"] is None and figures["share"] is None
    far = endless or spread.beyond(figures, limits)
    first = about.get("first") or (document.get("first_wrong") if far else None)
    told = {"first": first} if first else {}
    return {"against": backend.against, **{key: figures[key] for key in _FIGURES}, "beyond": far, **told}


def text(model, graph, rows, limits):
    """Return rows of one graph as Markdown: a table for each format, where backends part, and what does not run.

    Args:
        model, graph: their names.
        rows: what :func:`row` returned.
        limits: as there.
    """
    parts = [f"# {escape.markdown(model)} {graph}, by what runs it\n", _LEGEND.format(**limits)]
    for form, backends in TABLE.items():
        own = [row for row in rows if row["format"] == form]
        if own:
            lines = [[row["variant"], *map(_words, row["backends"].values())] for row in own]
            parts += [_COMPARED[form], tables.markdown([[f".{form}", *(one.title for one in backends)], *lines])]
    found = list(_cells(rows))
    parted = [(name, _parting(cell["first"])) for name, cell in found if cell.get("first")]
    refused = [(name, escape.markdown(cell["reason"])) for name, cell in found if "reason" in cell]
    for title, told in (("Where answers part", parted), ("What does not run", refused)):
        parts += [f"## {title}\n\n{_list(told)}"] if told else []
    return "\n".join(parts)


def _list(told):
    """Return pairs of what is told of and what is told as a list that says everything once."""
    about = {}
    for name, words in told:
        about.setdefault(words, []).append(name)
    return "".join(f"- {'; '.join(names)}: {words}\n" for words, names in about.items())


def _cells(rows):
    """Yield what each cell is called, and the cell."""
    for row in rows:
        titles = {f"{one.evidence} {one.name}": one for one in TABLE[row["format"]]}
        for name, cell in row["backends"].items():
            backend = titles[name]
            where = {"gpu": "GPU", "litertjs": f"LiteRT.js {backend.name}"}.get(backend.evidence, backend.name)
            yield f"{row['variant']}.{row['format']} {where}", cell


def _words(cell):
    if "reason" in cell:
        return "no"
    if not cell["differ"]:
        return "equal"
    words = [form.format(cell[key]) for key, form in _HOW_FAR.items() if cell[key]] or ["no number"]
    words += [f"{cell['flips']} of {cell['decisions']}"] * bool(cell["flips"])
    return f"**{', '.join(words)}**" if cell["beyond"] else ", ".join(words)


def _parting(first):
    if isinstance(first, str):
        return escape.markdown(first)
    told = [
        f"{words} {one['operator']} {one['place']} of {one['operators']} (`{escape.line(one['tensor'])}`), {_far(one)}"
        for words, one in ((words, first[name]) for name, words in _PARTING.items())
        if one
    ]
    return "; ".join(told) or "all tensors are equal"


def _far(one):
    if one["share"] is None:
        return "by what is no number"
    return " or ".join([*([f"{one['steps']} steps"] if "steps" in one else []), f"{one['share']:.2g}"])
