"""Convert graphs to float32 .tflite files.

Requires: build/{model}/{graph}/graph.pb and contract.json.
Yields: results/{model}/{graph}.float32.tflite of graphs without post-processing, by TensorFlow 2's converter;
results/{model}/{graph}.toco_float32.tflite of every graph, by TOCO.
"""


rule convert_tflite:
    input:
        code=code("convert_tflite"),
        graph="build/{model}/{graph}/graph.pb",
        contract="build/{model}/{graph}/contract.json",
    output:
        "results/{model}/{graph}.float32.tflite",
    log:
        "logs/convert_tflite/{model}.{graph}.log",
    benchmark:
        "benchmarks/convert_tflite/{model}.{graph}.tsv"
    wildcard_constraints:
        graph="main|detect_cut",
    group:
        "model"
    conda:
        "../envs/tf2.yaml"
    resources:
        mem_mb=2000,
        time_limit=config["time_limit"],
    shell:
        r"""
        python {input.code[0]:q} \
            --graph {input.graph:q} \
            --contract {input.contract:q} \
            --time-limit {resources.time_limit:q} \
            --output {output:q} \
            &>{log:q}
        """


rule run_toco:
    input:
        code=code("run_toco"),
        graph="build/{model}/{graph}/graph.pb",
        contract="build/{model}/{graph}/contract.json",
    output:
        tflite="build/{model}/{graph}/toco.tflite",
        log="build/{model}/{graph}/toco.log",
        counts="build/{model}/{graph}/toco.json",
    log:
        "logs/run_toco/{model}.{graph}.log",
    benchmark:
        "benchmarks/run_toco/{model}.{graph}.tsv"
    group:
        "model"
    conda:
        f"../envs/{config['toco']}.yaml"
    resources:
        time_limit=config["time_limit"],
    shell:
        r"""
        python {input.code[0]:q} \
            --graph {input.graph:q} \
            --contract {input.contract:q} \
            --time-limit {resources.time_limit:q} \
            --output {output.tflite:q} \
            --output-log {output.log:q} \
            --output-counts {output.counts:q} \
            &>{log:q}
        """


rule finish_toco:
    input:
        code=code("finish_toco"),
        tflite="build/{model}/{graph}/toco.tflite",
        contract="build/{model}/{graph}/contract.json",
    output:
        "results/{model}/{graph}.toco_float32.tflite",
    log:
        "logs/finish_toco/{model}.{graph}.log",
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    shell:
        r"""
        python {input.code[0]:q} \
            --raw {input.tflite:q} \
            --contract {input.contract:q} \
            --output {output:q} \
            &>{log:q}
        """
