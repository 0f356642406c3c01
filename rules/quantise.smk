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
        code=code("list_samples"),
        index=sample_index,
        other=other_index,
    output:
        "build/{model}/{purpose}.csv",
    log:
        "logs/list_samples/{model}.{purpose}.log",
    conda:
        "../envs/litert.yaml"
    params:
        samples=sample_choice,
        others=other_choice,
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
        code=code("calibrate"),
        tflite="results/{model}/{graph}.float32.tflite",
        contract="build/{model}/{graph}/contract.json",
        samples=samples("calibration"),
        folder=sample_folder("calibration"),
    output:
        "results/{model}/{graph}.calibration.json",
    log:
        "logs/calibrate/{model}.{graph}.log",
    benchmark:
        "benchmarks/calibrate/{model}.{graph}.tsv"
    wildcard_constraints:
        graph="main|detect_cut",
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        form=sample_form("calibration"),
        preprocess=preprocess,
    shell:
        r"""
        python {input.code[0]:q} \
            --float {input.tflite:q} \
            --contract {input.contract:q} \
            --samples {input.samples:q} \
            --folder {input.folder:q} \
            --form {params.form:q} \
            --preprocess {params.preprocess:q} \
            --output {output:q} \
            &>{log:q}
        """


rule quantise_tflite:
    input:
        code=code("quantise_tflite"),
        tflite="results/{model}/{graph}.float32.tflite",
        contract="build/{model}/{graph}/contract.json",
        calibration=calibration,
    output:
        "results/{model}/{graph}.{variant}.tflite",
    log:
        "logs/quantise_tflite/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/quantise_tflite/{model}.{graph}.{variant}.tsv"
    wildcard_constraints:
        graph="main|detect_cut",
        variant="float16|dynamic|int8|int8_io|uint8_io|int16x8",
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    shell:
        r"""
        python {input.code[0]:q} \
            --float {input.tflite:q} \
            --contract {input.contract:q} \
            --calibration {input.calibration:q} \
            --variant {wildcards.variant:q} \
            --output {output:q} \
            &>{log:q}
        """


rule quantise_tensorflow:
    input:
        code=code("quantise_tensorflow"),
        graph="build/{model}/{graph}/graph.pb",
        contract="build/{model}/{graph}/contract.json",
        samples=samples("calibration"),
        folder=sample_folder("calibration"),
    output:
        "results/{model}/{graph}.tf_int8.tflite",
    log:
        "logs/quantise_tensorflow/{model}.{graph}.log",
    benchmark:
        "benchmarks/quantise_tensorflow/{model}.{graph}.tsv"
    wildcard_constraints:
        graph="main|detect_cut",
    group:
        "model"
    conda:
        "../envs/tf2.yaml"
    resources:
        mem_mb=2000,
    params:
        form=sample_form("calibration"),
        preprocess=preprocess,
    shell:
        r"""
        python {input.code[0]:q} \
            --graph {input.graph:q} \
            --contract {input.contract:q} \
            --samples {input.samples:q} \
            --folder {input.folder:q} \
            --form {params.form:q} \
            --preprocess {params.preprocess:q} \
            --output {output:q} \
            &>{log:q}
        """


rule quantise_tfjs:
    input:
        code=code("quantise_tfjs"),
        model="results/{model}/{graph}.float32.tfjs",
    output:
        directory("results/{model}/{graph}.{variant}.tfjs"),
    log:
        "logs/quantise_tfjs/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/quantise_tfjs/{model}.{graph}.{variant}.tsv"
    wildcard_constraints:
        graph="main|detect_cut|inference",
        variant="float16|uint16|uint8",
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        patterns=tfjs_patterns,
        shard_bytes=card("tfjs", "shard_bytes"),
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
        code=code("plan_tfjs"),
        scripts=tfjs_scripts(),
        library=tfjs_library(),
        model="results/{model}/{graph}.float32.tfjs",
        contract="build/{model}/{graph}/contract.json",
        golden=golden,
        samples=samples("calibration"),
        folder=sample_folder("calibration"),
    output:
        model=directory("results/{model}/{graph}.planned.tfjs"),
        record="results/{model}/{graph}.planned.json",
    log:
        "logs/plan_tfjs/{model}.{graph}.log",
    benchmark:
        "benchmarks/plan_tfjs/{model}.{graph}.tsv"
    wildcard_constraints:
        graph="main|detect_cut|inference",
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        form=sample_form("calibration"),
        preprocess=preprocess,
        budget=card("tfjs", "budget"),
        shard_bytes=card("tfjs", "shard_bytes"),
    shell:
        r"""
        python {input.code[0]:q} \
            --float {input.model:q} \
            --contract {input.contract:q} \
            --golden {input.golden:q} \
            --samples {input.samples:q} \
            --folder {input.folder:q} \
            --form {params.form:q} \
            --preprocess {params.preprocess:q} \
            --budget {params.budget:q} \
            --shard-bytes {params.shard_bytes:q} \
            --library build/javascript \
            --output {output.model:q} \
            --output-record {output.record:q} \
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
        variant="float32|float16|dynamic|int8|int16x8|int8_mixed|tf_int8",
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
