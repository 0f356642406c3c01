"""What gates say of several files, for people."""

from zoomill import escape, tables
from zoomill.plan import gates


def parts(evidence, name):
    """Return a table in Markdown, a row for each file, and a list of why files cannot be taken, each reason once.

    Args:
        evidence: documents of gates; of none, there are no parts.
        name: function from a document to what its file is called.
    """
    titles = {gate.name: gate.title for gate in gates.TABLE if gate.name in {item["gate"] for item in evidence}}
    rows, reasons = {}, {}
    for item in evidence:
        verdict = "no" if item["reason"] else item["verdict"] if item["passed"] else item["verdict"].upper()
        rows.setdefault(name(item), {})[item["gate"]] = f"{verdict} {item['said']}".rstrip()
        if item["reason"]:
            reasons.setdefault((titles[item["gate"]], item["reason"]), []).append(name(item))
    cells = [(file, *(found.get(gate, "") for gate in titles)) for file, found in rows.items()]
    lines = [
        f"- {title}, no {', '.join(names)}: {escape.markdown(escape.line(reason))}\n"
        for (title, reason), names in reasons.items()
    ]
    table = [tables.markdown([("where it runs", *titles.values()), *cells])] if cells else []
    return [*table, *filter(None, ["".join(lines)])]
