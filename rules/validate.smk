"""Compare artifacts with the golden outputs of their source.

Requires: results/{model}/{graph}.{variant}.tflite, .openvino or .tfjs, its contract, and the model's golden.npz.
Yields: results/{model}/{graph}.{variant}.tflite.json, .openvino.json or .tfjs.json, the evidence;
results/{model}/browser.json, that of all artifacts of a model in Chromium.
"""


rule validate_tflite:
    input:
        code=plan.code("validate_tflite"),
        artifact="results/{model}/{graph}.{variant}.tflite",
        contract="build/{model}/{graph}/contract.json",
        golden=plan.golden,
        anchors=plan.anchors,
        figures=plan.conversion_figures,
        calibration=plan.calibration_of,
        exact=plan.float_file,
    output:
        reported("results/{model}/{graph}.{variant}.tflite.json", "evidence", "Parity"),
    log:
        "logs/validate_tflite/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/validate_tflite/{model}.{graph}.{variant}.tsv"
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        variant=plan.variant("tflite"),
        limits=plan.limits,
    shell:
        r"""
        python {input.code[0]:q} \
            --artifact {input.artifact:q} \
            --contract {input.contract:q} \
            --golden {input.golden:q} \
            --anchors {input.anchors:q} \
            --variant {params.variant:q} \
            --limits {params.limits:q} \
            --figures {input.figures:q} \
            --calibration {input.calibration:q} \
            --float {input.exact:q} \
            --output {output:q} \
            &>{log:q}
        """


rule validate_openvino:
    input:
        code=plan.code("validate_openvino"),
        artifact="results/{model}/{graph}.{variant}.openvino",
        contract="build/{model}/{graph}/contract.json",
        golden=plan.golden,
    output:
        reported("results/{model}/{graph}.{variant}.openvino.json", "evidence", "Parity"),
    log:
        "logs/validate_openvino/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/validate_openvino/{model}.{graph}.{variant}.tsv"
    wildcard_constraints:
        variant=pattern(variants.names(format="openvino")),
    group:
        "model"
    conda:
        "../envs/openvino.yaml"
    params:
        limits=plan.limits,
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
        code=plan.code("validate_tfjs"),
        javascript=plan.tfjs.node(),
        artifact="results/{model}/{graph}.{variant}.tfjs",
        contract="build/{model}/{graph}/contract.json",
        golden=plan.golden,
        exact=plan.tfjs.float_model,
    output:
        reported("results/{model}/{graph}.{variant}.tfjs.json", "evidence", "Parity"),
    log:
        "logs/validate_tfjs/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/validate_tfjs/{model}.{graph}.{variant}.tsv"
    wildcard_constraints:
        variant=pattern(variants.names(format="tfjs")),
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    threads: plan.deploy.alone_where_timed(workflow)
    resources:
        mem_mb=1000,
    params:
        limits=plan.limits,
        runs=plan.deploy.runs,
        timed=plan.deploy.timed,
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
            {params.timed:q} \
            --float {input.exact:q} \
            --output {output:q} \
            &>{log:q}
        """


rule validate_browser:
    input:
        code=plan.code("validate_browser"),
        javascript=plan.tfjs.browser(),
        artifacts=plan.tfjs.browser_inputs,
        chromium=plan.tfjs.chromium_folder(),
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
    threads: plan.deploy.alone_where_timed(workflow)
    resources:
        mem_mb=2000,
        time_limit=config["time_limit"],
    params:
        entries=plan.tfjs.browser_entries,
        chromium=plan.tfjs.chromium(),
        runs=plan.deploy.runs,
        timed=plan.deploy.timed,
    shell:
        r"""
        python {input.code[0]:q} \
            --entries {params.entries:q} \
            --chromium {params.chromium:q} \
            --library build/javascript \
            --runs {params.runs:q} \
            {params.timed:q} \
            --time-limit {resources.time_limit:q} \
            --output {output:q} \
            &>{log:q}
        """
