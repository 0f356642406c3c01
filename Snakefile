"""Turn model-zoo checkpoints into validated, bit-reproducible TFLite artifacts."""

from snakemake.utils import min_version

min_version("9.27")


include: "rules/config.smk"


configfile: "config.yaml"


report: "rules/captions/workflow.rst"


include: "rules/common.smk"
include: "rules/fetch.smk"
include: "rules/datasets.smk"
include: "rules/export.smk"
include: "rules/tflite.smk"
include: "rules/tfjs.smk"
include: "rules/openvino.smk"
include: "rules/quantisation_error.smk"
include: "rules/evaluate.smk"
include: "rules/nms.smk"
include: "rules/ledger.smk"
include: "rules/calibration_sweep.smk"
include: "rules/validate.smk"
include: "rules/deploy.smk"
include: "rules/backends.smk"
include: "rules/pictures.smk"
include: "rules/web.smk"
include: "rules/report.smk"
include: "rules/reproduce.smk"


rule all:
    input:
        "results/summary.md",
        "results/report",
        "results/SHA256SUMS",
        expand("results/{model}/provenance.json", model=config["models"]),
        plan.wanted.browser(),
        plan.wanted.pages(),
    localrule: True


onstart:
    reports.begin(workflow)


session.check_targets(workflow, plan)
session.settle_schedule(workflow, plan)
end.tell_at_the_end(workflow, {model: card["drop"] for model, card in plan.models.items()})
