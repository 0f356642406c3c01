"""Put all ways to run the files of a graph beside each other.

Requires: the evidence of the gates kernels, gpu and litertjs of the graph's .tflite files, results/{model}/{graph}.{variant}.tfjs,
contracts, golden inputs and evaluation samples.
Yields: results/{model}/{graph}.{variant}.tfjs.spread.json, how far the backends of TensorFlow.js are apart;
results/{model}/{graph}.backends.json and .md, the matrix of all files that the configuration names.
"""


rule measure_tfjs:
    input:
        code=plan.code("measure_tfjs"),
        javascript=plan.tfjs.browser(),
        node=plan.tfjs.node(),
        artifact="results/{model}/{graph}.{variant}.tfjs",
        contract="build/{model}/{graph}/contract.json",
        golden=plan.golden,
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
        chromium=plan.tfjs.chromium_folder(),
    output:
        "results/{model}/{graph}.{variant}.tfjs.spread.json",
    log:
        "logs/measure_tfjs/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/measure_tfjs/{model}.{graph}.{variant}.tsv"
    wildcard_constraints:
        graph=pattern((*targets.WITHOUT_OP, "inference")),
        variant=pattern(variants.names(format="tfjs")),
    group:
        "model"
    conda:
        "../envs/web.yaml"
    resources:
        mem_mb=2000,
        time_limit=config["time_limit"],
    params:
        samples=plan.evaluation.flags,
        settings=plan.evaluation.settings,
        chromium=plan.tfjs.chromium(),
        limit=50,
    shell:
        r"""
        python {input.code[0]:q} \
            --artifact {input.artifact:q} \
            --contract {input.contract:q} \
            --golden {input.golden:q} \
            {params.samples:q} \
            --limit {params.limit:q} \
            --variant {wildcards.variant:q} \
            --chromium {params.chromium:q} \
            --library build/javascript \
            --time-limit {resources.time_limit:q} \
            --output {output:q} \
            &>{log:q}
        """


rule compare_backends:
    input:
        code=plan.code("compare_backends"),
        evidence=plan.backends.evidence,
        artifacts=plan.backends.artifacts,
        contract="build/{model}/{graph}/contract.json",
        golden=plan.golden,
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
    output:
        matrix="results/{model}/{graph}.backends.json",
        table="results/{model}/{graph}.backends.md",
    log:
        "logs/compare_backends/{model}.{graph}.log",
    benchmark:
        "benchmarks/compare_backends/{model}.{graph}.tsv"
    wildcard_constraints:
        graph="main|detect_[a-z0-9_]+",
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        samples=plan.evaluation.flags,
        settings=plan.evaluation.settings,
    shell:
        r"""
        python {input.code[0]:q} \
            --evidence {input.evidence:q} \
            --artifacts {input.artifacts:q} \
            --contract {input.contract:q} \
            --golden {input.golden:q} \
            {params.samples:q} \
            --output {output.matrix:q} \
            --output-table {output.table:q} \
            &>{log:q}
        """
