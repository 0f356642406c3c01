"""Compute the task metric of sources and artifacts on the evaluation samples of a model's card.

Requires: build/{model}/{graph}/predictions.npz, build/{model}/evaluation.csv and its data set, contracts and artifacts.
Yields: results/{model}/source.metric.json, results/{model}/{graph}.{variant}.metric.json of .tflite files and
{graph}.{variant}.tfjs.metric.json, {graph}.{variant}.micro.metric.json of .tflite files on TFLite Micro, with
.samples.jsonl beside them; build/{model}/detect_cut/{variant}.heads.zip, of which a detector's other graphs are
scored.
"""

# What scoring reads besides what is scored.
SCORED = {
    "contract": "build/{model}/{graph}/contract.json",
    "anchors": plan.anchors,
    "samples": plan.evaluation.list,
    "fitted": plan.evaluation.fitted,
    "folder": plan.evaluation.folder,
}
# One command line for all: what is scored stands in params.
EVALUATE = r"""
        python {input.code[0]:q} \
            {params.given:q} \
            {params.tools:q} \
            --contract {input.contract:q} \
            --anchors {input.anchors:q} \
            {params.task:q} \
            {params.until_clear:q} \
            --against {input.against:q} \
            --output {output.figures:q} \
            --output-samples {output.samples:q} \
            &>{log:q}
        """


rule evaluate_source:
    input:
        code=plan.code("evaluate_source"),
        predictions=plan.graph_of_source("predictions.npz"),
        contract=plan.graph_of_source("contract.json"),
        anchors=plan.anchors_of_source,
        samples=plan.evaluation.list,
        fitted=plan.evaluation.fitted,
        folder=plan.evaluation.folder,
        against=[],
    output:
        figures="results/{model}/source.metric.json",
        samples="results/{model}/source.samples.jsonl",
    log:
        "logs/evaluate_source/{model}.log",
    benchmark:
        "benchmarks/evaluate_source/{model}.tsv"
    group:
        "model"
    conda:
        "../envs/evaluate.yaml"
    params:
        tools=[],
        given=plan.scoring.predictions,
        task=plan.scoring.task,
        until_clear=[],
        settings=plan.scoring.settings,
    shell:
        EVALUATE


rule evaluate_tflite:
    input:
        **SCORED,
        code=plan.code("evaluate_tflite"),
        artifact="results/{model}/{graph}.{variant}.tflite",
        heads=plan.scoring.heads,
        against=plan.scoring.against("tflite"),
    output:
        figures=reported("results/{model}/{graph}.{variant}{kernels}.metric.json", "metric", "Metrics"),
        samples="results/{model}/{graph}.{variant}{kernels}.samples.jsonl",
    log:
        "logs/evaluate_tflite/{model}.{graph}.{variant}{kernels}.log",
    benchmark:
        "benchmarks/evaluate_tflite/{model}.{graph}.{variant}{kernels}.tsv"
    wildcard_constraints:
        graph=rf"(?!detect_cut\.){GRAPH_NAME}",
        kernels=r"(\.micro)?",
    group:
        "model"
    conda:
        "../envs/evaluate.yaml"
    params:
        tools=plan.deploy.kernels_flags,
        given=plan.scoring.artifact,
        task=plan.scoring.task,
        until_clear=plan.scoring.until_clear,
        settings=plan.scoring.settings,
    shell:
        EVALUATE


# What a detector's network gives is kept, for the graphs that are this network with one operator behind it.
use rule evaluate_tflite as evaluate_tflite_heads with:
    output:
        figures=reported("results/{model}/{graph}.{variant}{kernels}.metric.json", "metric", "Metrics"),
        samples="results/{model}/{graph}.{variant}{kernels}.samples.jsonl",
        heads=temp("build/{model}/{graph}/{variant}{kernels}.heads.zip"),
    log:
        "logs/evaluate_tflite_heads/{model}.{graph}.{variant}{kernels}.log",
    benchmark:
        "benchmarks/evaluate_tflite_heads/{model}.{graph}.{variant}{kernels}.tsv"
    wildcard_constraints:
        graph="detect_cut",
        kernels=r"(\.micro)?",
    params:
        tools=plan.deploy.kernels_flags,
        given=plan.scoring.artifact_kept,
        task=plan.scoring.task,
        until_clear=plan.scoring.until_clear,
        settings=plan.scoring.settings,


rule evaluate_tfjs:
    input:
        **SCORED,
        code=plan.code("evaluate_tfjs"),
        javascript=plan.tfjs.node(),
        artifact="results/{model}/{graph}.{variant}.tfjs",
        against=plan.scoring.against("tfjs"),
    output:
        figures=reported("results/{model}/{graph}.{variant}.tfjs.metric.json", "metric", "Metrics"),
        samples="results/{model}/{graph}.{variant}.tfjs.samples.jsonl",
    log:
        "logs/evaluate_tfjs/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/evaluate_tfjs/{model}.{graph}.{variant}.tsv"
    wildcard_constraints:
        variant=pattern(variants.names(format="tfjs")),
    group:
        "model"
    conda:
        "../envs/evaluate.yaml"
    params:
        tools=["--library", javascript.FOLDER],
        given=plan.scoring.artifact,
        task=plan.scoring.task,
        until_clear=plan.scoring.until_clear,
        settings=plan.scoring.settings,
    shell:
        EVALUATE
