"""Make artifacts checkable and rebuildable elsewhere.

Requires: the artifacts of all configured models.
Yields: results/SHA256SUMS, results/{model}/provenance.json; the targets verify and lock_artifacts.
"""


rule write_checksums:
    input:
        code=plan.code("write_checksums"),
        artifacts=plan.wanted.delivered(),
    output:
        "results/SHA256SUMS",
    log:
        "logs/write_checksums.log",
    localrule: True
    conda:
        "../envs/base.yaml"
    shell:
        r"""
        python {input.code[0]:q} \
            --artifacts {input.artifacts:q} \
            --output {output:q} \
            2>{log:q}
        """


rule write_provenance:
    input:
        code=plan.code("write_provenance"),
        artifacts=plan.model_artifacts,
        goldens=plan.model_goldens,
    output:
        "results/{model}/provenance.json",
    log:
        "logs/write_provenance/{model}.log",
    localrule: True
    conda:
        "../envs/base.yaml"
    params:
        parameters=plan.parameters,
        makers=plan.makers(workflow),
        root=plan.repository,
    shell:
        r"""
        python {input.code[0]:q} \
            --model {wildcards.model:q} \
            --artifacts {input.artifacts:q} \
            --goldens {input.goldens:q} \
            --source sources/{wildcards.model:q} \
            --cache sources/.cache \
            --makers {params.makers:q} \
            --parameters {params.parameters:q} \
            --root {params.root:q} \
            --output {output:q} \
            2>{log:q}
        """


rule verify:
    input:
        code=plan.code("verify"),
        lock=plan.file("artifacts.lock"),
        artifacts=plan.locked("artifact"),
        evidence=plan.locked("evidence"),
    log:
        "logs/verify.log",
    localrule: True
    conda:
        "../envs/litert.yaml"
    shell:
        r"""
        python {input.code[0]:q} \
            --lock {input.lock:q} \
            --artifacts {input.artifacts:q} \
            --results results \
            --cache sources/.cache \
            2>{log:q}
        """


rule lock_artifacts:
    input:
        code=plan.code("lock_artifacts"),
        artifacts=plan.wanted.paths("tflite"),
    log:
        "logs/lock_artifacts.log",
    localrule: True
    conda:
        "../envs/litert.yaml"
    params:
        lock=plan.file("artifacts.lock"),
    shell:
        r"""
        python {input.code[0]:q} \
            --artifacts {input.artifacts:q} \
            --results results \
            --output {params.lock:q} \
            2>{log:q}
        """
