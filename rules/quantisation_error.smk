"""Find where a quantised file loses precision, and do without integers there.

Requires: results/{model}/{graph}.{variant}.tflite of graphs without post-processing, the contracts, the calibration and
the evaluation samples.
Yields: results/{model}/{graph}.{variant}.tensors.json and .tensors.png, the error of every tensor;
results/{model}/{graph}.int8_mixed.tflite and .json, the record of how it was found.
"""


rule compare_tensors:
    input:
        code=plan.code("compare_tensors"),
        exact="results/{model}/{graph}.float32.tflite",
        quantised="results/{model}/{graph}.{variant}.tflite",
        contract="build/{model}/{graph}/contract.json",
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
        golden=plan.golden,
    output:
        figures="results/{model}/{graph}.{variant}.tensors.json",
        plot=reported("results/{model}/{graph}.{variant}.tensors.png", "tensors", "Closer looks"),
    log:
        "logs/compare_tensors/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/compare_tensors/{model}.{graph}.{variant}.tsv"
    wildcard_constraints:
        graph=pattern(targets.WITHOUT_OP),
    group:
        "model"
    conda:
        "../envs/evaluate.yaml"
    params:
        samples=plan.evaluation.flags,
        settings=plan.evaluation.settings,
        limit=16,
    shell:
        r"""
        python {input.code[0]:q} \
            --float {input.exact:q} \
            --quantised {input.quantised:q} \
            --contract {input.contract:q} \
            {params.samples:q} \
            --golden {input.golden:q} \
            --limit {params.limit:q} \
            --output {output.figures:q} \
            --output-plot {output.plot:q} \
            &>{log:q}
        """


rule bisect_quantisation:
    input:
        code=plan.code("bisect_quantisation"),
        exact="results/{model}/{graph}.float32.tflite",
        calibration="results/{model}/{graph}.calibration.json",
        contract="build/{model}/{graph}/contract.json",
        anchors=plan.anchors,
        samples=plan.evaluation.list,
        fitted=plan.evaluation.fitted,
        folder=plan.evaluation.folder,
    output:
        tflite="results/{model}/{graph}.int8_mixed.tflite",
        record="results/{model}/{graph}.int8_mixed.json",
    log:
        "logs/bisect_quantisation/{model}.{graph}.log",
    benchmark:
        "benchmarks/bisect_quantisation/{model}.{graph}.tsv"
    wildcard_constraints:
        graph=pattern(targets.WITHOUT_OP),
    group:
        "model"
    conda:
        "../envs/evaluate.yaml"
    params:
        variant=plan.variant("tflite", "int8_mixed"),
        task=plan.scoring.task,
        settings=plan.scoring.settings,
        drop=plan.card("drop", "int8"),
    shell:
        r"""
        python {input.code[0]:q} \
            --float {input.exact:q} \
            --calibration {input.calibration:q} \
            --contract {input.contract:q} \
            --anchors {input.anchors:q} \
            {params.task:q} \
            --drop {params.drop:q} \
            --variant {params.variant:q} \
            --output {output.tflite:q} \
            --output-record {output.record:q} \
            &>{log:q}
        """
