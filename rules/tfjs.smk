"""Make TensorFlow.js models, and install what runs them.

Requires: build/{model}/{graph}/graph.pb, contract.json and golden.npz; of layers models, sources/{model}/.
Yields: results/{model}/{graph}.{variant}.tfjs/, a folder with model.json and shards of weights;
results/{model}/layers.float32.tfjs/, a layers model of a Keras source that TensorFlow.js runs like it;
results/{model}/{graph}.map.json, which of its tensors is which output of the source; {graph}.planned.json, why each weight
of the variant `planned` has its dtype; build/javascript/, packages of web/package-lock.json and a link to Node;
build/javascript/chromium/, a browser for machines without.
"""


rule install_javascript:
    input:
        code=plan.code("install_javascript"),
        lock=plan.file("web/package-lock.json"),
    output:
        [f"{javascript.FOLDER}/{name}" for name in (javascript.PROGRAM, *javascript.BROWSER)],
    log:
        "logs/install_javascript.log",
    localrule: True
    conda:
        "../envs/javascript.yaml"
    params:
        files=javascript.BROWSER,
    shell:
        r"""
        python {input.code[0]:q} \
            --lock {input.lock:q} \
            --files {params.files:q} \
            --output-dir build/javascript \
            &>{log:q}
        """


rule install_chromium:
    input:
        code=plan.code("install_chromium"),
        lock=plan.file("web/package-lock.json"),
    output:
        directory(javascript.CHROMIUM),
    log:
        "logs/install_chromium.log",
    localrule: True
    conda:
        "../envs/javascript.yaml"
    shell:
        r"""
        python {input.code[0]:q} \
            --lock {input.lock:q} \
            --output {output:q} \
            &>{log:q}
        """


rule convert_tfjs:
    input:
        code=plan.code("convert_tfjs"),
        javascript=plan.tfjs.node(),
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
        "../envs/tf2.yaml"
    resources:
        mem_mb=plan.tfjs.memory,
    params:
        options=plan.tfjs.options,
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
        javascript=plan.tfjs.node(),
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
        "../envs/tf2.yaml"
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
        javascript=plan.tfjs.node(),
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
        patterns=plan.tfjs.patterns,
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
        javascript=plan.tfjs.node(),
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
        settings=plan.calibration.settings,
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
