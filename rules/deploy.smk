"""Put .tflite files to the gates of where they will run, a rule for each row of scripts/zoomill/plan/gates.py.

Requires: results/{model}/{graph}.{variant}.tflite, its contract, the model's golden.npz, and what else a gate takes.
Yields: results/{model}/{graph}.{variant}.<gate>.json, the evidence;
results/{model}/{graph}.{variant}.vela.tflite, compiled for an Ethos-U, and .vela-<accelerator>.tflite for others.
"""

# One command line for the gates that ask what a file answers.
ANSWER = r"""
        python {input.code[0]:q} \
            --artifact {input.artifact:q} \
            --contract {input.contract:q} \
            --golden {input.golden:q} \
            {params.samples:q} \
            --variant {wildcards.variant:q} \
            --output {output:q} \
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
        "results/{model}/{graph}.{variant}.micro.json",
    log:
        "logs/validate_micro/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/validate_micro/{model}.{graph}.{variant}.tsv"
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        samples=plan.evaluation.flags,
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
        "results/{model}/{graph}.{variant}.kernels.json",
    log:
        "logs/validate_kernels/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/validate_kernels/{model}.{graph}.{variant}.tsv"
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        samples=plan.evaluation.flags,
    shell:
        ANSWER


rule validate_tasks:
    input:
        code=plan.code("validate_tasks"),
        artifact="results/{model}/{graph}.{variant}.tflite",
        contract="build/{model}/{graph}/contract.json",
        golden=plan.golden,
    output:
        "results/{model}/{graph}.{variant}.tasks.json",
    log:
        "logs/validate_tasks/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/validate_tasks/{model}.{graph}.{variant}.tsv"
    group:
        "model"
    conda:
        "../envs/mediapipe.yaml"
    params:
        variant=plan.variant("tflite"),
        limits=plan.limits,
    shell:
        r"""
        python {input.code[0]:q} \
            --artifact {input.artifact:q} \
            --contract {input.contract:q} \
            --golden {input.golden:q} \
            --variant {params.variant:q} \
            --limits {params.limits:q} \
            --output {output:q} \
            &>{log:q}
        """


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
        accelerator=plan.accelerator,
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
        "results/{model}/{graph}.{variant}.vela.json",
    log:
        "logs/validate_vela/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/validate_vela/{model}.{graph}.{variant}.tsv"
    group:
        "model"
    conda:
        "../envs/vela.yaml"
    params:
        accelerators=plan.accelerators,
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
        "results/{model}/{graph}.{variant}.latency.json",
    log:
        "logs/validate_latency/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/validate_latency/{model}.{graph}.{variant}.tsv"
    conda:
        "../envs/litert.yaml"
    threads: plan.alone(workflow)
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
