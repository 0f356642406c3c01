"""Score files that are calibrated with fewer samples than the card names.

Requires: results/{model}/{graph}.float32.tflite of graphs without post-processing, the contracts, and both lists of
samples.
Yields: results/{model}/{graph}.{variant}.calibration_sweep.json and .svg: the metric by the number of calibration
samples, the ranges of each sample, and those that stand out.
"""


rule sweep_calibration:
    input:
        code=plan.code("sweep_calibration"),
        exact="results/{model}/{graph}.float32.tflite",
        contract="build/{model}/{graph}/contract.json",
        anchors=plan.anchors,
        calibration=plan.calibration.list_and_folder,
        samples=plan.evaluation.list,
        fitted=plan.evaluation.fitted,
        folder=plan.evaluation.folder,
    output:
        figures="results/{model}/{graph}.{variant}.calibration_sweep.json",
        plot="results/{model}/{graph}.{variant}.calibration_sweep.svg",
    log:
        "logs/sweep_calibration/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/sweep_calibration/{model}.{graph}.{variant}.tsv"
    wildcard_constraints:
        graph=pattern(targets.WITHOUT_OP),
        variant=pattern(variants.names(maker="quantise_tflite", calibrated=True)),
    group:
        "model"
    conda:
        "../envs/evaluate.yaml"
    params:
        variant=plan.variant("tflite"),
        calibration=plan.calibration.flags_beside_others,
        task=plan.scoring.task,
        settings=plan.scoring.settings,
        calibration_settings=plan.calibration.settings,
        limit=200,
    shell:
        r"""
        python {input.code[0]:q} \
            --float {input.exact:q} \
            --contract {input.contract:q} \
            --anchors {input.anchors:q} \
            {params.calibration:q} \
            {params.task:q} \
            --limit {params.limit:q} \
            --variant {params.variant:q} \
            --output {output.figures:q} \
            --output-plot {output.plot:q} \
            &>{log:q}
        """
