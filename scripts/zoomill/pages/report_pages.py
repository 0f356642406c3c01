"""The pages of the report, from rows of :mod:`zoomill.pages.report`."""

from zoomill.pages import report, report_pictures, trade_off


class Pages:
    """Pages of one run.

    Args:
        templates: folder of the templates.
        rows: what :func:`zoomill.pages.report.rows` returned.
        contracts: ``{(model, graph): contract}``.
        cards: ``{model: what its card says}``.
    """

    def __init__(self, templates, rows, contracts, cards):
        import jinja2

        loader = jinja2.FileSystemLoader(templates)
        options = {"undefined": jinja2.StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
        self._environment = jinja2.Environment(loader=loader, autoescape=True, **options)
        self._environment.filters |= {"figures": figures}
        self._rows, self._contracts, self._cards = rows, contracts, cards

    def index(self, missing):
        """Return the first page.

        Args:
            missing: lines on what could not be made.
        """
        alike = {}
        for row in self._rows:
            if row["metric"]:
                alike.setdefault((row["metric"]["name"], row["dataset"]), []).append(row)
        drawings = [(f"{name} on {dataset}", trade_off.draw(rows, name)) for (name, dataset), rows in alike.items()]
        return self._render("index", rows=self._rows, drawings=drawings, missing=missing)

    def model(self, model, provenance, pictures, missing):
        """Return the page of a model.

        Args:
            model: its name.
            provenance: document of what it was made of, None where that was not written.
            pictures: document of what was drawn of it, None where nothing was.
            missing: lines on what could not be made.
        """
        rows = [row for row in self._rows if row["model"] == model]
        digests = {row["artifact"]: row["sha256"] for row in rows}
        return self._render(
            "model",
            model=model,
            card=self._cards[model],
            rows=rows,
            pictures=report_pictures.of_model(pictures, digests) if pictures else [],
            contracts=[contract for (name, _), contract in self._contracts.items() if name == model],
            provenance=provenance,
            missing=[line for line in missing if line.startswith(f"{model}: ")],
        )

    def _render(self, page, **known):
        template = self._environment.get_template(f"{page}.html.jinja")
        return template.render(gates=report.columns(self._rows), **known)


def figures(value, count=4):
    """Return a number with as many significant digits."""
    return f"{value:#.{count}g}".rstrip(".")
