"""Derive variants and graphs from float32 .tflite files and TensorFlow.js models, without TensorFlow.

Requires: results/{model}/{graph}.float32.tflite of graphs without post-processing, the contracts, and the samples of
data sets.
Yields: build/{model}/{purpose}.csv, the samples of calibration and evaluation; results/{model}/{graph}.calibration.json;
results/{model}/{graph}.{variant}.tflite; results/{model}/{graph}.{variant}.tfjs/; results/{model}/{graph}.planned.json, why
each weight of the variant `planned` has its dtype.
"""


localrules:
    list_samples,


rule list_samples:
    input:
        code=plan.code("list_samples"),
        index=plan.sample_index,
        other=plan.other_index,
    output:
        "build/{model}/{purpose}.csv",
    log:
        "logs/list_samples/{model}.{purpose}.log",
    conda:
        "../envs/litert.yaml"
    params:
        samples=plan.sample_choice,
        others=plan.other_choice,
    shell:
        r"""
        python {input.code[0]:q} \
            --model {wildcards.model:q} \
            --purpose {wildcards.purpose:q} \
            --index {input.index:q} \
            --samples {params.samples:q} \
            --apart-from {input.other:q} \
            --apart-from-samples {params.others:q} \
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


rule quantise_tfjs:
    input:
        code=plan.code("quantise_tfjs"),
        model="results/{model}/{graph}.float32.tfjs",
    output:
        directory("results/{model}/{graph}.{variant}.tfjs"),
    log:
        "logs/quantise_tfjs/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/quantise_tfjs/{model}.{graph}.{variant}.tsv"
    wildcard_constraints:
        graph=pattern((*targets.WITHOUT_OP, "inference")),
        variant=pattern(variants.names(maker="quantise_tfjs")),
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        patterns=plan.tfjs_patterns,
        shard_bytes=plan.card("tfjs", "shard_bytes"),
    shell:
        r"""
        python {input.code[0]:q} \
            --float {input.model:q} \
            --patterns {params.patterns:q} \
            --shard-bytes {params.shard_bytes:q} \
            --output {output:q} \
            &>{log:q}
        """


rule plan_tfjs:
    input:
        code=plan.code("plan_tfjs"),
        javascript=plan.node(),
        model="results/{model}/{graph}.float32.tfjs",
        contract="build/{model}/{graph}/contract.json",
        golden=plan.golden,
        samples=plan.calibration.list,
        folder=plan.calibration.folder,
    output:
        model=directory("results/{model}/{graph}.planned.tfjs"),
        record="results/{model}/{graph}.planned.json",
    log:
        "logs/plan_tfjs/{model}.{graph}.log",
    benchmark:
        "benchmarks/plan_tfjs/{model}.{graph}.tsv"
    wildcard_constraints:
        graph=pattern((*targets.WITHOUT_OP, "inference")),
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        samples=plan.calibration.flags,
        budget=plan.card("tfjs", "budget"),
        shard_bytes=plan.card("tfjs", "shard_bytes"),
    shell:
        r"""
        python {input.code[0]:q} \
            --float {input.model:q} \
            --contract {input.contract:q} \
            --golden {input.golden:q} \
            {params.samples:q} \
            --budget {params.budget:q} \
            --shard-bytes {params.shard_bytes:q} \
            --library build/javascript \
            --output {output.model:q} \
            --output-record {output.record:q} \
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
