"""Make OpenVINO's intermediate representation.

Requires: build/{model}/{graph}/graph.pb and contract.json.
Yields: results/{model}/{graph}.float32.openvino/, a folder with model.xml and model.bin.
"""


rule convert_openvino:
    input:
        code=plan.code("convert_openvino"),
        graph="build/{model}/{graph}/graph.pb",
        contract="build/{model}/{graph}/contract.json",
    output:
        directory("results/{model}/{graph}.float32.openvino"),
    log:
        "logs/convert_openvino/{model}.{graph}.log",
    benchmark:
        "benchmarks/convert_openvino/{model}.{graph}.tsv"
    wildcard_constraints:
        graph=pattern(targets.WITHOUT_OP),
    group:
        "model"
    conda:
        "../envs/openvino.yaml"
    shell:
        r"""
        python {input.code[0]:q} \
            --graph {input.graph:q} \
            --contract {input.contract:q} \
            --output {output:q} \
            &>{log:q}
        """
