"""The plan of this run, which the other files of rules ask, and the names that wildcards may take."""

from zoomill.run import end, reports
from zoomill.plan import accelerators, gates, javascript, otherwise, session, targets, variants
from zoomill.plan.kinds import KINDS
from zoomill.plan.names import NAME, other_than, pattern
from zoomill.plan.samples import PURPOSES

plan = session.begin(workflow, config, root)
ALIVE = session.hold_folder(workflow)
GRAPH_NAME = f"(?:main|inference|{gates.SOURCE}|detect_[a-z0-9_]+)"


wildcard_constraints:
    model=NAME,
    graph=GRAPH_NAME,
    variant=pattern([*variants.names(format="tflite"), gates.GIVEN]),
    compiled=pattern(row.end for row in accelerators.TABLE),
    dataset=NAME,
    purpose=pattern(PURPOSES),


def reported(path, caption, category):
    """Return an output of a model for `snakemake --report`, with a caption of rules/captions/."""
    chosen = {"category": category, "subcategory": "{model}", "labels": {"file": path.rpartition("/")[2]}}
    return report(path, caption=f"captions/{caption}.rst", **chosen)
