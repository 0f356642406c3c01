"""Make artifacts checkable and rebuildable elsewhere.

Requires: the artifacts of all configured models.
Yields: results/SHA256SUMS, results/{model}/provenance.json; the targets verify and lock_artifacts.
"""


localrules:
    write_checksums,
    write_provenance,
    verify,
    lock_artifacts,


rule write_checksums:
    input:
        code=code("write_checksums"),
        artifacts=all_artifacts() + c_arrays() + layers_models(),
    output:
        "results/SHA256SUMS",
    log:
        "logs/write_checksums.log",
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
        code=code("write_provenance"),
        artifacts=model_artifacts,
        goldens=model_goldens,
        commands=pipeline_code,
        environments=environment_files(),
    output:
        "results/{model}/provenance.json",
    log:
        "logs/write_provenance/{model}.log",
    conda:
        "../envs/base.yaml"
    params:
        parameters=parameters,
        root=os.path.relpath(workflow.basedir),
    shell:
        r"""
        python {input.code[0]:q} \
            --model {wildcards.model:q} \
            --artifacts {input.artifacts:q} \
            --goldens {input.goldens:q} \
            --cache sources/.cache \
            --code {input.commands:q} \
            --environments {input.environments:q} \
            --parameters {params.parameters:q} \
            --root {params.root:q} \
            --output {output:q} \
            2>{log:q}
        """


rule verify:
    input:
        code=code("verify_artifacts"),
        lock=os.path.relpath(f"{workflow.basedir}/artifacts.lock"),
        artifacts=locked_artifacts(),
        evidence=evidence(locked_artifacts()),
    log:
        "logs/verify.log",
    conda:
        "../envs/litert.yaml"
    shell:
        r"""
        python {input.code[0]:q} \
            --lock {input.lock:q} \
            --results results \
            --cache sources/.cache \
            2>{log:q}
        """


rule lock_artifacts:
    input:
        code=code("lock_artifacts"),
        artifacts=lockable_artifacts(),
    log:
        "logs/lock_artifacts.log",
    conda:
        "../envs/litert.yaml"
    params:
        lock=os.path.relpath(f"{workflow.basedir}/artifacts.lock"),
    shell:
        r"""
        python {input.code[0]:q} \
            --artifacts {input.artifacts:q} \
            --results results \
            --output {params.lock:q} \
            2>{log:q}
        """
