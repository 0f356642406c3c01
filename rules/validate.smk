"""Compare artifacts with the golden outputs of their source.

Requires: results/{model}/{graph}.{variant}.tflite or .openvino, its contract, and the model's golden.npz.
Yields: results/{model}/{graph}.{variant}.tflite.json or .openvino.json, the evidence.
"""


rule validate_tflite:
    input:
        code=code("validate_tflite"),
        artifact="results/{model}/{graph}.{variant}.tflite",
        contract="build/{model}/{graph}/contract.json",
        golden=golden,
        anchors=anchors,
        figures=conversion_figures,
        calibration=calibration,
        beside=beside,
    output:
        "results/{model}/{graph}.{variant}.tflite.json",
    log:
        "logs/validate_tflite/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/validate_tflite/{model}.{graph}.{variant}.tsv"
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        limits=limits,
    shell:
        r"""
        python {input.code[0]:q} \
            --artifact {input.artifact:q} \
            --contract {input.contract:q} \
            --golden {input.golden:q} \
            --anchors {input.anchors:q} \
            --variant {wildcards.variant:q} \
            --limits {params.limits:q} \
            --figures {input.figures:q} \
            --calibration {input.calibration:q} \
            --beside {input.beside:q} \
            --output {output:q} \
            &>{log:q}
        """


rule validate_openvino:
    input:
        code=code("validate_openvino"),
        artifact="results/{model}/{graph}.{variant}.openvino",
        contract="build/{model}/{graph}/contract.json",
        golden=golden,
    output:
        "results/{model}/{graph}.{variant}.openvino.json",
    log:
        "logs/validate_openvino/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/validate_openvino/{model}.{graph}.{variant}.tsv"
    wildcard_constraints:
        variant="float32",
    group:
        "model"
    conda:
        "../envs/openvino.yaml"
    params:
        limits=limits,
    shell:
        r"""
        python {input.code[0]:q} \
            --artifact {input.artifact:q} \
            --contract {input.contract:q} \
            --golden {input.golden:q} \
            --variant {wildcards.variant:q} \
            --limits {params.limits:q} \
            --output {output:q} \
            &>{log:q}
        """
