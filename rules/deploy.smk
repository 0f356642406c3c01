"""Put .tflite files to the gates of where they will run, a rule for each row of scripts/zoomill/plan/gates.py.

Requires: results/{model}/{graph}.{variant}.tflite, its contract, the model's golden.npz, and what else a gate takes.
Yields: results/{model}/{graph}.{variant}.<gate>.json, the evidence; of a source that is a .tflite file,
results/{model}/source.given.tflite, the file as it is, and its contract, so that it is put to the same gates;
results/{model}/{graph}.{variant}.vela.tflite, compiled for an Ethos-U, and .vela-<accelerator>.tflite for others.
"""

# One command line for the gates that ask what a file answers; what else they take stands in params.
ANSWER = r"""
        python {input.code[0]:q} \
            --artifact {input.artifact:q} \
            --contract {input.contract:q} \
            --golden {input.golden:q} \
            {params.more:q} \
            --variant {wildcards.variant:q} \
            --output {output:q} \
            &>{log:q}
        """


rule take_tflite:
    input:
        code=plan.code("take_tflite"),
        source="sources/{model}",
    output:
        artifact=f"results/{{model}}/{gates.SOURCE}.{gates.GIVEN}.tflite",
        contract=f"build/{{model}}/{gates.SOURCE}/contract.json",
    log:
        "logs/take_tflite/{model}.log",
    benchmark:
        "benchmarks/take_tflite/{model}.tsv"
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        file=plan.main_file,
        card=plan.expectations,
    shell:
        r"""
        python {input.code[0]:q} \
            --model {wildcards.model:q} \
            --source {input.source:q} \
            --path {params.file:q} \
            --card {params.card:q} \
            --output {output.artifact:q} \
            --output-contract {output.contract:q} \
            &>{log:q}
        """


rule validate_micro:
    input:
        code=plan.code("validate_micro"),
        artifact="results/{model}/{graph}.{variant}.tflite",
        contract="build/{model}/{graph}/contract.json",
        golden=plan.golden,
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
    output:
        reported("results/{model}/{graph}.{variant}.micro.json", "evidence", "Gates"),
    log:
        "logs/validate_micro/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/validate_micro/{model}.{graph}.{variant}.tsv"
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        more=plan.evaluation.flags,
        settings=plan.evaluation.settings,
    shell:
        ANSWER


rule validate_kernels:
    input:
        code=plan.code("validate_kernels"),
        artifact="results/{model}/{graph}.{variant}.tflite",
        contract="build/{model}/{graph}/contract.json",
        golden=plan.golden,
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
    output:
        reported("results/{model}/{graph}.{variant}.kernels.json", "evidence", "Gates"),
    log:
        "logs/validate_kernels/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/validate_kernels/{model}.{graph}.{variant}.tsv"
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        more=plan.evaluation.flags,
        settings=plan.evaluation.settings,
    shell:
        ANSWER


rule validate_gpu:
    input:
        code=plan.code("validate_gpu"),
        artifact="results/{model}/{graph}.{variant}.tflite",
        contract="build/{model}/{graph}/contract.json",
        golden=plan.golden,
        anchors=plan.anchors,
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
        chromium=plan.tfjs.chromium_folder(),
    output:
        reported("results/{model}/{graph}.{variant}.gpu.json", "evidence", "Gates"),
    log:
        "logs/validate_gpu/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/validate_gpu/{model}.{graph}.{variant}.tsv"
    group:
        "model"
    conda:
        "../envs/evaluate.yaml"
    params:
        task=plan.scoring.gate_task,
        settings=plan.scoring.settings,
        chromium=plan.tfjs.chromium(),
    shell:
        r"""
        python {input.code[0]:q} \
            --artifact {input.artifact:q} \
            --contract {input.contract:q} \
            --golden {input.golden:q} \
            --anchors {input.anchors:q} \
            {params.task:q} \
            --variant {wildcards.variant:q} \
            --chromium {params.chromium:q} \
            --output {output:q} \
            &>{log:q}
        """


rule validate_litertjs:
    input:
        code=plan.code("validate_litertjs"),
        javascript=plan.tfjs.browser(),
        artifact="results/{model}/{graph}.{variant}.tflite",
        contract="build/{model}/{graph}/contract.json",
        golden=plan.golden,
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
        chromium=plan.tfjs.chromium_folder(),
    output:
        reported("results/{model}/{graph}.{variant}.litertjs.json", "evidence", "Gates"),
    log:
        "logs/validate_litertjs/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/validate_litertjs/{model}.{graph}.{variant}.tsv"
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
    shell:
        r"""
        python {input.code[0]:q} \
            --artifact {input.artifact:q} \
            --contract {input.contract:q} \
            --golden {input.golden:q} \
            {params.samples:q} \
            --variant {wildcards.variant:q} \
            --chromium {params.chromium:q} \
            --library build/javascript \
            --time-limit {resources.time_limit:q} \
            --output {output:q} \
            &>{log:q}
        """


rule validate_tasks:
    input:
        code=plan.code("validate_tasks"),
        artifact="results/{model}/{graph}.{variant}.tflite",
        contract="build/{model}/{graph}/contract.json",
        golden=plan.golden,
    output:
        reported("results/{model}/{graph}.{variant}.tasks.json", "evidence", "Gates"),
    log:
        "logs/validate_tasks/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/validate_tasks/{model}.{graph}.{variant}.tsv"
    group:
        "model"
    conda:
        "../envs/mediapipe.yaml"
    params:
        more=plan.limits_flags,
    shell:
        ANSWER


rule compile_vela:
    input:
        code=plan.code("compile_vela"),
        artifact="results/{model}/{graph}.{variant}.tflite",
    output:
        "results/{model}/{graph}.{variant}{compiled}.tflite",
    log:
        "logs/compile_vela/{model}.{graph}.{variant}{compiled}.log",
    benchmark:
        "benchmarks/compile_vela/{model}.{graph}.{variant}{compiled}.tsv"
    group:
        "model"
    conda:
        "../envs/vela.yaml"
    params:
        accelerator=plan.deploy.accelerator,
    shell:
        r"""
        python {input.code[0]:q} \
            --artifact {input.artifact:q} \
            --accelerator {params.accelerator:q} \
            --output {output:q} \
            &>{log:q}
        """


rule validate_vela:
    input:
        code=plan.code("validate_vela"),
        artifact="results/{model}/{graph}.{variant}.tflite",
        contract="build/{model}/{graph}/contract.json",
    output:
        reported("results/{model}/{graph}.{variant}.vela.json", "evidence", "Gates"),
    log:
        "logs/validate_vela/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/validate_vela/{model}.{graph}.{variant}.tsv"
    group:
        "model"
    conda:
        "../envs/vela.yaml"
    params:
        accelerators=plan.deploy.accelerators,
    shell:
        r"""
        python {input.code[0]:q} \
            --artifact {input.artifact:q} \
            --contract {input.contract:q} \
            --variant {wildcards.variant:q} \
            --accelerators {params.accelerators:q} \
            --output {output:q} \
            &>{log:q}
        """


rule validate_latency:
    input:
        code=plan.code("validate_latency"),
        artifact="results/{model}/{graph}.{variant}.tflite",
        contract="build/{model}/{graph}/contract.json",
        golden=plan.golden,
    output:
        reported("results/{model}/{graph}.{variant}.latency.json", "evidence", "Gates"),
    log:
        "logs/validate_latency/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/validate_latency/{model}.{graph}.{variant}.tsv"
    conda:
        "../envs/litert.yaml"
    threads: plan.deploy.alone(workflow)
    shell:
        r"""
        python {input.code[0]:q} \
            --artifact {input.artifact:q} \
            --contract {input.contract:q} \
            --golden {input.golden:q} \
            --variant {wildcards.variant:q} \
            --output {output:q} \
            &>{log:q}
        """
