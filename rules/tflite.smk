"""Make .tflite files: convert graphs, quantise, give detectors their post-processing, write C arrays and labels.

Requires: build/{model}/{graph}/graph.pb and contract.json; for integers, the samples of data sets.
Yields: results/{model}/{graph}.{variant}.tflite of all variants; of any .tflite file, {graph}.{variant}.cc and .h;
results/{model}/{graph}.calibration.json, the ranges that integers are made of; results/{model}/labels.txt.
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


rule calibrate:
    input:
        code=plan.code("calibrate"),
        tflite="results/{model}/{graph}.float32.tflite",
        contract="build/{model}/{graph}/contract.json",
        samples=plan.calibration.list,
        folder=plan.calibration.folder,
    output:
        "results/{model}/{graph}.calibration.json",
    log:
        "logs/calibrate/{model}.{graph}.log",
    benchmark:
        "benchmarks/calibrate/{model}.{graph}.tsv"
    wildcard_constraints:
        graph=pattern(targets.WITHOUT_OP),
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        samples=plan.calibration.flags,
        settings=plan.calibration.settings,
    shell:
        r"""
        python {input.code[0]:q} \
            --float {input.tflite:q} \
            --contract {input.contract:q} \
            {params.samples:q} \
            --output {output:q} \
            &>{log:q}
        """


rule quantise_tflite:
    input:
        code=plan.code("quantise_tflite"),
        tflite="results/{model}/{graph}.float32.tflite",
        contract="build/{model}/{graph}/contract.json",
        calibration=plan.calibration_of,
    output:
        "results/{model}/{graph}.{variant}.tflite",
    log:
        "logs/quantise_tflite/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/quantise_tflite/{model}.{graph}.{variant}.tsv"
    wildcard_constraints:
        graph=pattern(targets.WITHOUT_OP),
        variant=pattern(variants.names(maker="quantise_tflite")),
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        variant=plan.variant("tflite"),
    shell:
        r"""
        python {input.code[0]:q} \
            --float {input.tflite:q} \
            --contract {input.contract:q} \
            --calibration {input.calibration:q} \
            --variant {params.variant:q} \
            --output {output:q} \
            &>{log:q}
        """


rule rewrite_for_gpu:
    input:
        code=plan.code("rewrite_for_gpu"),
        tflite="results/{model}/{graph}.int8.tflite",
        contract="build/{model}/{graph}/contract.json",
    output:
        "results/{model}/{graph}.int8_gpu.tflite",
    log:
        "logs/rewrite_for_gpu/{model}.{graph}.log",
    benchmark:
        "benchmarks/rewrite_for_gpu/{model}.{graph}.tsv"
    wildcard_constraints:
        graph=pattern(targets.WITHOUT_OP),
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        variant=plan.variant("tflite", "int8_gpu"),
    shell:
        r"""
        python {input.code[0]:q} \
            --tflite {input.tflite:q} \
            --contract {input.contract:q} \
            --variant {params.variant:q} \
            --output {output:q} \
            &>{log:q}
        """


rule quantise_tensorflow:
    input:
        code=plan.code("quantise_tensorflow"),
        graph="build/{model}/{graph}/graph.pb",
        contract="build/{model}/{graph}/contract.json",
        samples=plan.calibration.list,
        folder=plan.calibration.folder,
    output:
        "results/{model}/{graph}.tf_int8.tflite",
    log:
        "logs/quantise_tensorflow/{model}.{graph}.log",
    benchmark:
        "benchmarks/quantise_tensorflow/{model}.{graph}.tsv"
    wildcard_constraints:
        graph=pattern(targets.WITHOUT_OP),
    group:
        "model"
    conda:
        "../envs/tf2.yaml"
    resources:
        mem_mb=2000,
    params:
        variant=plan.variant("tflite", "tf_int8"),
        samples=plan.calibration.flags,
        settings=plan.calibration.settings,
    shell:
        r"""
        python {input.code[0]:q} \
            --graph {input.graph:q} \
            --contract {input.contract:q} \
            {params.samples:q} \
            --variant {params.variant:q} \
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
    priority: 1
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


rule graft_postprocess:
    input:
        code=plan.code("graft_postprocess"),
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
        variant=pattern(variants.names(graphs="grafted")),
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        variant=plan.variant("tflite"),
    shell:
        r"""
        python {input.code[0]:q} \
            --cut {input.cut:q} \
            --anchors {input.anchors:q} \
            --contract {input.contract:q} \
            --variant {params.variant:q} \
            --output {output:q} \
            &>{log:q}
        """


rule write_c_array:
    input:
        code=plan.code("write_c_array"),
        tflite="results/{model}/{graph}.{variant}{compiled}.tflite",
    output:
        source="results/{model}/{graph}.{variant}{compiled}.cc",
        header="results/{model}/{graph}.{variant}{compiled}.h",
    log:
        "logs/write_c_array/{model}.{graph}.{variant}{compiled}.log",
    benchmark:
        "benchmarks/write_c_array/{model}.{graph}.{variant}{compiled}.tsv"
    wildcard_constraints:
        compiled=f"|{pattern(row.end for row in accelerators.TABLE)}",
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        name=plan.c_name,
    shell:
        r"""
        python {input.code[0]:q} \
            --tflite {input.tflite:q} \
            --name {params.name:q} \
            --source {output.source:q} \
            --header {output.header:q} \
            2>{log:q}
        """


rule write_labels:
    input:
        code=plan.code("write_labels"),
        contract=plan.graph_of_source("contract.json"),
    output:
        "results/{model}/labels.txt",
    log:
        "logs/write_labels/{model}.log",
    localrule: True
    conda:
        "../envs/litert.yaml"
    shell:
        r"""
        python {input.code[0]:q} \
            --contract {input.contract:q} \
            --output {output:q} \
            2>{log:q}
        """
