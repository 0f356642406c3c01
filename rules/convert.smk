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
        code=code("convert_openvino"),
        graph="build/{model}/{graph}/graph.pb",
        contract="build/{model}/{graph}/contract.json",
    output:
        directory("results/{model}/{graph}.float32.openvino"),
    log:
        "logs/convert_openvino/{model}.{graph}.log",
    benchmark:
        "benchmarks/convert_openvino/{model}.{graph}.tsv"
    wildcard_constraints:
        graph="main|detect_cut",
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
        code=code("convert_tfjs"),
        scripts=tfjs_scripts(),
        library=tfjs_library(),
        graph="build/{model}/{graph}/graph.pb",
        contract="build/{model}/{graph}/contract.json",
        golden=golden,
    output:
        directory("results/{model}/{graph}.float32.tfjs"),
    log:
        "logs/convert_tfjs/{model}.{graph}.log",
    benchmark:
        "benchmarks/convert_tfjs/{model}.{graph}.tsv"
    wildcard_constraints:
        graph="main|detect_cut|inference",
    group:
        "model"
    conda:
        "../envs/tfjs.yaml"
    resources:
        mem_mb=tfjs_memory,
    params:
        options=tfjs_options,
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
        code=code("convert_layers"),
        scripts=tfjs_scripts(),
        library=tfjs_library(),
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
        model=kind("keras"),
    group:
        "model"
    conda:
        "../envs/tfjs.yaml"
    resources:
        mem_mb=2000,
    params:
        path=source("path"),
        allow=source("allow"),
        shard_bytes=card("tfjs", "shard_bytes"),
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
        code=code("map_tfjs"),
        scripts=tfjs_scripts(),
        library=tfjs_library(),
        model="results/{model}/{graph}.float32.tfjs",
        contract="build/{model}/{graph}/contract.json",
        golden=golden,
    output:
        "results/{model}/{graph}.map.json",
    log:
        "logs/map_tfjs/{model}.{graph}.log",
    benchmark:
        "benchmarks/map_tfjs/{model}.{graph}.tsv"
    wildcard_constraints:
        graph="main|detect_cut|inference",
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
        code=code("run_toco"),
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
        variant="toco_float32|toco_uint8",
    group:
        "model"
    conda:
        f"../envs/{config['toco']}.yaml"
    params:
        default_ranges=default_ranges,
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
        code=code("finish_toco"),
        tflite="build/{model}/{graph}/{variant}.tflite",
        contract="build/{model}/{graph}/contract.json",
    output:
        "results/{model}/{graph}.{variant}.tflite",
    log:
        "logs/finish_toco/{model}.{graph}.{variant}.log",
    wildcard_constraints:
        variant="toco_float32|toco_uint8",
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    shell:
        r"""
        python {input.code[0]:q} \
            --raw {input.tflite:q} \
            --contract {input.contract:q} \
            --variant {wildcards.variant:q} \
            --output {output:q} \
            &>{log:q}
        """


rule convert_pytorch:
    input:
        code=code("convert_pytorch"),
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
        model=kind("pytorch"),
    group:
        "model"
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=2000,
    params:
        options=source_options,
        card=expectations,
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
