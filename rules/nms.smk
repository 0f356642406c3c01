"""Score detectors with other settings of their NMS, which `nms` in config.yaml lists, on the raw heads of one run.

Requires: results/{model}/{graph}.{variant}.tflite of graphs without post-processing, the contracts, and the evaluation
samples with the metric coco.
Yields: results/{model}/{graph}.{variant}.nms.json, figures of all settings and what they advise; .nms.svg, a heat map.
"""


rule sweep_nms:
    input:
        **SCORED,
        code=plan.code("sweep_nms"),
        artifact="results/{model}/{graph}.{variant}.tflite",
    output:
        figures="results/{model}/{graph}.{variant}.nms.json",
        plot=reported("results/{model}/{graph}.{variant}.nms.svg", "nms", "Closer looks"),
    log:
        "logs/sweep_nms/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/sweep_nms/{model}.{graph}.{variant}.tsv"
    wildcard_constraints:
        graph=pattern(targets.WITHOUT_OP),
    group:
        "model"
    conda:
        "../envs/evaluate.yaml"
    params:
        given=plan.scoring.artifact,
        grid=plan.scoring.nms_grid,
        task=plan.scoring.task,
        settings=plan.scoring.settings,
    shell:
        r"""
        python {input.code[0]:q} \
            {params.given:q} \
            --grid {params.grid:q} \
            --contract {input.contract:q} \
            --anchors {input.anchors:q} \
            {params.task:q} \
            --output {output.figures:q} \
            --output-plot {output.plot:q} \
            &>{log:q}
        """
