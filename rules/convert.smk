"""Convert graphs to float32 .tflite files, OpenVINO's IR and TensorFlow.js models.

Requires: build/{model}/{graph}/graph.pb and contract.json.
Yields: results/{model}/{graph}.float32.tflite of graphs without post-processing, by TensorFlow 2's converter, and
their results/{model}/{graph}.float32.openvino/, a folder with model.xml and model.bin;
results/{model}/{graph}.float32.tfjs/, a folder with model.json and shards of weights;
results/{model}/layers.float32.tfjs/, a layers model of a Keras source that TensorFlow.js runs like it;
results/{model}/{graph}.map.json, which of its tensors is which output of the source;
results/{model}/{graph}.toco_float32.tflite and toco_uint8.tflite of every graph, by TOCO;
results/{model}/main.torch_float32.tflite of a PyTorch source, by litert-torch.
"""


rule convert_tflite:
    input:
        code=plan.code("convert_tflite"),
        graph="build/{model}/{graph}/graph.pb",
        contract="build/{model}/{graph}/contract.json",
    output:
        "results/{model}/{graph}.float32.tflite",
    log:
        "logs/convert_tflite/{model}.{graph}.log",
    benchmark:
        "benchmarks/convert_tflite/{model}.{graph}.tsv"
    wildcard_constraints:
        graph=pattern(targets.WITHOUT_OP),
    group:
        "model"
    conda:
        "../envs/tf2.yaml"
    resources:
        mem_mb=2000,
    shell:
        r"""
        python {input.code[0]:q} \
            --graph {input.graph:q} \
            --contract {input.contract:q} \
            --output {output:q} \
            &>{log:q}
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


rule convert_tfjs:
    input:
        code=plan.code("convert_tfjs"),
        javascript=plan.node(),
        graph="build/{model}/{graph}/graph.pb",
        contract="build/{model}/{graph}/contract.json",
        golden=plan.golden,
    output:
        directory("results/{model}/{graph}.float32.tfjs"),
    log:
        "logs/convert_tfjs/{model}.{graph}.log",
    benchmark:
        "benchmarks/convert_tfjs/{model}.{graph}.tsv"
    wildcard_constraints:
        graph=pattern((*targets.WITHOUT_OP, "inference")),
    group:
        "model"
    conda:
        "../envs/tfjs.yaml"
    resources:
        mem_mb=plan.tfjs_memory,
    params:
        options=plan.tfjs_options,
    shell:
        r"""
        python {input.code[0]:q} \
            --graph {input.graph:q} \
            --contract {input.contract:q} \
            --golden {input.golden:q} \
            --options {params.options:q} \
            --library build/javascript \
            --output {output:q} \
            &>{log:q}
        """


rule convert_layers:
    input:
        code=plan.code("convert_layers"),
        javascript=plan.node(),
        source="sources/{model}",
        contract="build/{model}/main/contract.json",
        golden="build/{model}/main/golden.npz",
    output:
        directory("results/{model}/layers.float32.tfjs"),
    log:
        "logs/convert_layers/{model}.log",
    benchmark:
        "benchmarks/convert_layers/{model}.tsv"
    wildcard_constraints:
        model=plan.of_kind("keras"),
    group:
        "model"
    conda:
        "../envs/tfjs.yaml"
    resources:
        mem_mb=2000,
    params:
        path=plan.source("path"),
        allow=plan.source("allow"),
        shard_bytes=plan.card("tfjs", "shard_bytes"),
    shell:
        r"""
        python {input.code[0]:q} \
            --path {input.source:q}/{params.path:q} \
            --allow {params.allow:q} \
            --contract {input.contract:q} \
            --golden {input.golden:q} \
            --shard-bytes {params.shard_bytes:q} \
            --library build/javascript \
            --output {output:q} \
            &>{log:q}
        """


rule map_tfjs:
    input:
        code=plan.code("map_tfjs"),
        javascript=plan.node(),
        model="results/{model}/{graph}.float32.tfjs",
        contract="build/{model}/{graph}/contract.json",
        golden=plan.golden,
    output:
        "results/{model}/{graph}.map.json",
    log:
        "logs/map_tfjs/{model}.{graph}.log",
    benchmark:
        "benchmarks/map_tfjs/{model}.{graph}.tsv"
    wildcard_constraints:
        graph=pattern((*targets.WITHOUT_OP, "inference")),
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    shell:
        r"""
        python {input.code[0]:q} \
            --model {input.model:q} \
            --contract {input.contract:q} \
            --golden {input.golden:q} \
            --library build/javascript \
            --output {output:q} \
            &>{log:q}
        """


rule run_toco:
    input:
        code=plan.code("run_toco"),
        graph="build/{model}/{graph}/graph.pb",
        contract="build/{model}/{graph}/contract.json",
    output:
        tflite="build/{model}/{graph}/{variant}.tflite",
        log="build/{model}/{graph}/{variant}.log",
        counts="build/{model}/{graph}/{variant}.json",
    log:
        "logs/run_toco/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/run_toco/{model}.{graph}.{variant}.tsv"
    wildcard_constraints:
        variant=pattern(variants.names(maker="run_toco")),
    group:
        "model"
    conda:
        f"../envs/{config['toco']}.yaml"
    params:
        default_ranges=plan.default_ranges,
    shell:
        r"""
        python {input.code[0]:q} \
            --graph {input.graph:q} \
            --contract {input.contract:q} \
            --variant {wildcards.variant:q} \
            --default-ranges {params.default_ranges:q} \
            --output {output.tflite:q} \
            --output-log {output.log:q} \
            --output-counts {output.counts:q} \
            &>{log:q}
        """


rule finish_toco:
    input:
        code=plan.code("finish_toco"),
        tflite="build/{model}/{graph}/{variant}.tflite",
        contract="build/{model}/{graph}/contract.json",
    output:
        "results/{model}/{graph}.{variant}.tflite",
    log:
        "logs/finish_toco/{model}.{graph}.{variant}.log",
    wildcard_constraints:
        variant=pattern(variants.names(maker="run_toco")),
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        variant=plan.variant("tflite"),
    shell:
        r"""
        python {input.code[0]:q} \
            --raw {input.tflite:q} \
            --contract {input.contract:q} \
            --variant {params.variant:q} \
            --output {output:q} \
            &>{log:q}
        """


rule convert_pytorch:
    input:
        code=plan.code("convert_pytorch"),
        source="sources/{model}",
        contract="build/{model}/main/contract.json",
        golden="build/{model}/main/golden.npz",
    output:
        "results/{model}/main.torch_float32.tflite",
    log:
        "logs/convert_pytorch/{model}.log",
    benchmark:
        "benchmarks/convert_pytorch/{model}.tsv"
    wildcard_constraints:
        model=plan.of_kind("pytorch"),
    group:
        "model"
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=2000,
    params:
        options=plan.source_options,
        card=plan.expectations,
    shell:
        r"""
        python {input.code[0]:q} \
            --model {wildcards.model:q} \
            --source {input.source:q} \
            --options {params.options:q} \
            --card {params.card:q} \
            --contract {input.contract:q} \
            --golden {input.golden:q} \
            --output {output:q} \
            &>{log:q}
        """
