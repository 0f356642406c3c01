"""Derive variants and graphs from float32 .tflite files, without TensorFlow.

Requires: results/{model}/{graph}.float32.tflite of graphs without post-processing, and the contracts.
Yields: results/{model}/{graph}.{variant}.tflite.
"""


rule quantise_tflite:
    input:
        code=code("quantise_tflite"),
        tflite="results/{model}/{graph}.float32.tflite",
        contract="build/{model}/{graph}/contract.json",
    output:
        "results/{model}/{graph}.{variant}.tflite",
    log:
        "logs/quantise_tflite/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/quantise_tflite/{model}.{graph}.{variant}.tsv"
    wildcard_constraints:
        graph="main|detect_cut",
        variant="float16|dynamic",
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    shell:
        r"""
        python {input.code[0]:q} \
            --float {input.tflite:q} \
            --contract {input.contract:q} \
            --variant {wildcards.variant:q} \
            --output {output:q} \
            &>{log:q}
        """


rule graft_postprocess:
    input:
        code=code("graft_postprocess"),
        cut="results/{model}/detect_cut.{variant}.tflite",
        anchors="build/{model}/detect_cut/anchors.npy",
        contract="build/{model}/{graph}/contract.json",
    output:
        "results/{model}/{graph}.{variant}.tflite",
    log:
        "logs/graft_postprocess/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/graft_postprocess/{model}.{graph}.{variant}.tsv"
    wildcard_constraints:
        graph=r"detect_(?!cut\.)[a-z0-9_]+",
        variant="float32|float16|dynamic",
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    shell:
        r"""
        python {input.code[0]:q} \
            --cut {input.cut:q} \
            --anchors {input.anchors:q} \
            --contract {input.contract:q} \
            --variant {wildcards.variant:q} \
            --output {output:q} \
            &>{log:q}
        """
