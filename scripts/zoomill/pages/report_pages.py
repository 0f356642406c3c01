"""The pages of the report, from rows of :mod:`zoomill.pages.report`."""

import os
import re

import jinja2
import markupsafe

from zoomill.pages import model_facts, report, report_pictures, trade_off
from zoomill.pages.snippets import Snippets

# Columns of the table behind verdict and bytes, and behind the gates: the key of a row, and the heading.
_COLUMNS = (
    ("metric", "metric"),
    ("loss", "loss"),
    ("loss_of_source", "against source"),
    ("latency", "ms"),
    ("operators", "operators"),
)
_ABOUT = (("task", "task"), ("training_set", "training set"), ("classes", "classes"), ("input", "input"))


class Pages:
    """Pages of one run.

    Args:
        templates: folder of the templates.
        rows: what :func:`zoomill.pages.report.rows` returned.
        contracts: ``{(model, graph): contract}``.
        cards: ``{model: what its card says}``.
        drawings: ``{path of an SVG file: its element}``.
    """

    def __init__(self, templates, rows, contracts, cards, drawings):
        loader = jinja2.FileSystemLoader(templates)
        options = {"undefined": jinja2.StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
        self._environment = jinja2.Environment(loader=loader, autoescape=True, **options)
        self._environment.filters |= {"figures": figures, "filled": filled, "basename": os.path.basename}
        self._environment.filters |= {"by_count": model_facts.by_count, "breakable": breakable}
        self._environment.globals |= {"columns": _COLUMNS, "about": _ABOUT}
        self._rows, self._contracts, self._cards, self._drawings = rows, contracts, cards, drawings
        self._snippets = Snippets(templates)

    def index(self, missing):
        """Return the first page.

        Args:
            missing: lines on what could not be made.
        """
        alike = {}
        for row in self._rows:
            if row["metric"]:
                alike.setdefault((row["metric"]["name"], row["dataset"]), []).append(row)
        drawings = [
            (f"{name} on {dataset}", trade_off.draw(rows, name), trade_off.front(rows))
            for (name, dataset), rows in alike.items()
        ]
        return self._render("index", self._rows, drawings=drawings, missing=missing)

    def model(self, model, documents, missing):
        """Return the page of a model.

        Args:
            model: its name.
            documents: ``provenance``, what it was made of, ``source``, what its source is, and ``pictures``, what was
                drawn of it; each may be None.
            missing: lines on what could not be made.
        """
        rows = [row for row in self._rows if row["model"] == model]
        contracts = [contract for (name, _), contract in self._contracts.items() if name == model]
        return self._render(
            "model",
            rows,
            model=model,
            card=self._cards[model],
            contracts=contracts,
            snippets={contract["graph"]: self._programs(contract, rows) for contract in contracts},
            pictures=report_pictures.of_model(documents["pictures"], rows),
            looked=[study for row in rows for study in row["looked"]],
            drawings=self._drawings,
            parity=list(model_facts.parity(rows)),
            states={row["artifact"]: row["state"] for row in rows},
            source=model_facts.source(documents["source"]),
            provenance=model_facts.provenance(documents["provenance"]),
            missing=[line for line in missing if line.startswith(f"{model}: ")],
        )

    def _programs(self, contract, rows):
        own = [row for row in rows if row["graph"] == contract["graph"]]
        return self._snippets.of_graph(contract, self._cards[contract["model"]], own)

    def _render(self, page, rows, **known):
        template = self._environment.get_template(f"{page}.html.jinja")
        return template.render(rows=rows, gates=report.columns(rows), **known)


def breakable(name):
    """Return a name as HTML that may go on in a new line behind each ``_`` and ``.``."""
    return markupsafe.Markup("<wbr>").join(re.split(r"(?<=[_.])", name))


def filled(rows):
    """Return the keys that any row has a value of."""
    return {key for row in rows for key, value in row.items() if value not in (None, "")}


def figures(value, count=4):
    """Return a number with as many significant digits."""
    return f"{value:#.{count}g}".rstrip(".")
