"""Compare artifacts with the golden outputs of their source.

Requires: results/{model}/{graph}.{variant}.tflite, .openvino or .tfjs, its contract, and the model's golden.npz.
Yields: results/{model}/{graph}.{variant}.tflite.json, .openvino.json or .tfjs.json, the evidence;
results/{model}/browser.json, that of all artifacts of a model in Chromium.
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
        exact=float_file,
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
            --float {input.exact:q} \
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


rule validate_tfjs:
    input:
        code=code("validate_tfjs"),
        scripts=tfjs_scripts(),
        library=tfjs_library(),
        artifact="results/{model}/{graph}.{variant}.tfjs",
        contract="build/{model}/{graph}/contract.json",
        golden=golden,
        exact=float_model,
    output:
        "results/{model}/{graph}.{variant}.tfjs.json",
    log:
        "logs/validate_tfjs/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/validate_tfjs/{model}.{graph}.{variant}.tsv"
    wildcard_constraints:
        variant="|".join(TFJS_VARIANTS),
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    resources:
        mem_mb=1000,
    params:
        limits=limits,
        runs=5,
    shell:
        r"""
        python {input.code[0]:q} \
            --artifact {input.artifact:q} \
            --contract {input.contract:q} \
            --golden {input.golden:q} \
            --variant {wildcards.variant:q} \
            --limits {params.limits:q} \
            --library build/javascript \
            --runs {params.runs:q} \
            --float {input.exact:q} \
            --output {output:q} \
            &>{log:q}
        """


rule validate_browser:
    input:
        code=code("validate_browser"),
        scripts=page_scripts(),
        library=expand("build/javascript/{file}", file=JAVASCRIPT),
        artifacts=browser_artifacts,
        contracts=browser_contracts,
        goldens=browser_goldens,
    output:
        "results/{model}/browser.json",
    log:
        "logs/validate_browser/{model}.log",
    benchmark:
        "benchmarks/validate_browser/{model}.tsv"
    group:
        "model"
    conda:
        "../envs/web.yaml"
    resources:
        mem_mb=2000,
        time_limit=config["time_limit"],
    params:
        limits=browser_limits,
        runs=5,
    shell:
        r"""
        python {input.code[0]:q} \
            --artifacts {input.artifacts:q} \
            --contracts {input.contracts:q} \
            --goldens {input.goldens:q} \
            --limits {params.limits:q} \
            --library build/javascript \
            --runs {params.runs:q} \
            --time-limit {resources.time_limit:q} \
            --output {output:q} \
            &>{log:q}
        """
