"""Say where between the source and an artifact a metric is lost.

Requires: samples.jsonl of the source and of artifacts, as rules/evaluate.smk makes them, and what those are made of.
Yields: results/{model}/{graph}.{variant}.ledger.json of .tflite files and {graph}.{variant}.tfjs.ledger.json, with .md
and .svg beside them; build/{model}/ledger/{graph}.{variant}.{otherwise}.metric.json and .samples.jsonl, the artifact
scored otherwise than its own figure is: rows of plan/otherwise.py.
"""

# One command line for both formats.
LEDGER = r"""
        python {input.code[0]:q} \
            --contract {input.contract:q} \
            --anchors {input.anchors:q} \
            {params.task:q} \
            --variant {wildcards.variant:q} \
            {params.rows:q} \
            --output {output.json:q} \
            --output-table {output.table:q} \
            --output-plot {output.plot:q} \
            &>{log:q}
        """


use rule evaluate_tflite as evaluate_tflite_otherwise with:
    input:
        **{**SCORED, "contract": plan.ledger.contract, "fitted": plan.ledger.fitted},
        code=plan.code("evaluate_tflite"),
        artifact=plan.ledger.artifact,
        against=[],
    output:
        figures="build/{model}/ledger/{graph}.{variant}.{otherwise}.metric.json",
        samples="build/{model}/ledger/{graph}.{variant}.{otherwise}.samples.jsonl",
    log:
        "logs/evaluate_tflite_otherwise/{model}.{graph}.{variant}.{otherwise}.log",
    benchmark:
        "benchmarks/evaluate_tflite_otherwise/{model}.{graph}.{variant}.{otherwise}.tsv"
    wildcard_constraints:
        otherwise=pattern(otherwise.for_format("tflite")) + f"|{otherwise.UNTIL}[a-z_]+",
    params:
        tools=plan.ledger.tools,
        given=plan.scoring.artifact,
        task=plan.ledger.task,
        settings=plan.scoring.settings,


use rule evaluate_tfjs as evaluate_tfjs_otherwise with:
    input:
        **{**SCORED, "fitted": plan.ledger.fitted},
        code=plan.code("evaluate_tfjs"),
        javascript=plan.tfjs.node(),
        artifact="results/{model}/{graph}.{variant}.tfjs",
        against=[],
    output:
        figures="build/{model}/ledger/{graph}.{variant}.tfjs.{otherwise}.metric.json",
        samples="build/{model}/ledger/{graph}.{variant}.tfjs.{otherwise}.samples.jsonl",
    log:
        "logs/evaluate_tfjs_otherwise/{model}.{graph}.{variant}.{otherwise}.log",
    benchmark:
        "benchmarks/evaluate_tfjs_otherwise/{model}.{graph}.{variant}.{otherwise}.tsv"
    wildcard_constraints:
        variant=pattern(variants.names(format="tfjs")),
        otherwise=pattern(otherwise.for_format("tfjs")),
    params:
        tools=plan.ledger.tfjs_tools,
        given=plan.scoring.artifact,
        task=plan.ledger.task,
        settings=plan.scoring.settings,


rule predict_in_browser:
    input:
        code=plan.code("predict_in_browser"),
        javascript=plan.tfjs.browser(),
        artifact="results/{model}/{graph}.{variant}.tfjs",
        contract="build/{model}/{graph}/contract.json",
        samples=plan.evaluation.list,
        fitted=plan.evaluation.fitted,
        folder=plan.evaluation.folder,
        chromium=plan.tfjs.chromium_folder(),
    output:
        "build/{model}/ledger/{graph}.{variant}.tfjs.{otherwise}.npz",
    log:
        "logs/predict_in_browser/{model}.{graph}.{variant}.{otherwise}.log",
    benchmark:
        "benchmarks/predict_in_browser/{model}.{graph}.{variant}.{otherwise}.tsv"
    wildcard_constraints:
        variant=pattern(variants.names(format="tfjs")),
        otherwise=pattern(otherwise.for_format("tfjs", browser=True)),
    group:
        "model"
    conda:
        "../envs/web.yaml"
    resources:
        mem_mb=2000,
        time_limit=config["time_limit"],
    params:
        samples=plan.evaluation.flags,
        settings=plan.evaluation.settings,
        backend=plan.ledger.tfjs_tools,
        chromium=plan.tfjs.chromium(),
    shell:
        r"""
        python {input.code[0]:q} \
            --artifact {input.artifact:q} \
            --contract {input.contract:q} \
            {params.samples:q} \
            {params.backend:q} \
            --chromium {params.chromium:q} \
            --time-limit {resources.time_limit:q} \
            --output {output:q} \
            &>{log:q}
        """


use rule evaluate_source as evaluate_source_in_browser with:
    input:
        **SCORED,
        code=plan.code("evaluate_source"),
        predictions="build/{model}/ledger/{graph}.{variant}.tfjs.{otherwise}.npz",
        against=[],
    output:
        figures="build/{model}/ledger/{graph}.{variant}.tfjs.{otherwise}.metric.json",
        samples="build/{model}/ledger/{graph}.{variant}.tfjs.{otherwise}.samples.jsonl",
    log:
        "logs/evaluate_source_in_browser/{model}.{graph}.{variant}.{otherwise}.log",
    benchmark:
        "benchmarks/evaluate_source_in_browser/{model}.{graph}.{variant}.{otherwise}.tsv"
    wildcard_constraints:
        variant=pattern(variants.names(format="tfjs")),
        otherwise=pattern(otherwise.for_format("tfjs", browser=True)),
    params:
        tools=[],
        given=plan.ledger.predictions_flags,
        task=plan.scoring.task,
        settings=plan.scoring.settings,


rule write_ledger:
    input:
        code=plan.code("write_ledger"),
        contract="build/{model}/{graph}/contract.json",
        anchors=plan.anchors,
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
        rows=plan.ledger.inputs("tflite"),
    output:
        json="results/{model}/{graph}.{variant}.ledger.json",
        table="results/{model}/{graph}.{variant}.ledger.md",
        plot=reported("results/{model}/{graph}.{variant}.ledger.svg", "ledger", "Closer looks"),
    log:
        "logs/write_ledger/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/write_ledger/{model}.{graph}.{variant}.tsv"
    group:
        "model"
    conda:
        "../envs/evaluate.yaml"
    params:
        task=plan.scoring.task,
        settings=plan.scoring.settings,
        rows=plan.ledger.flags("tflite"),
    shell:
        LEDGER


use rule write_ledger as write_ledger_of_tfjs with:
    input:
        code=plan.code("write_ledger"),
        contract="build/{model}/{graph}/contract.json",
        anchors=plan.anchors,
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
        rows=plan.ledger.inputs("tfjs"),
    output:
        json="results/{model}/{graph}.{variant}.tfjs.ledger.json",
        table="results/{model}/{graph}.{variant}.tfjs.ledger.md",
        plot=reported("results/{model}/{graph}.{variant}.tfjs.ledger.svg", "ledger", "Closer looks"),
    log:
        "logs/write_ledger_of_tfjs/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/write_ledger_of_tfjs/{model}.{graph}.{variant}.tsv"
    wildcard_constraints:
        variant=pattern(variants.names(format="tfjs")),
    params:
        task=plan.scoring.task,
        settings=plan.scoring.settings,
        rows=plan.ledger.flags("tfjs"),
