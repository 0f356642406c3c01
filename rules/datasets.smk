"""Make data sets, and choose the samples of models.

Requires: nothing but the cards and the lists of data sets.
Yields: sources/{dataset}/ of those that this repository makes; build/{model}/{purpose}.csv, the samples of calibration and
evaluation; build/{model}/evaluation.npy, the latter in the size of the model's input, where they are pictures.
"""


rule generate_dataset:
    input:
        code=plan.code("generate_dataset"),
        generator=plan.downloads.generator_code,
        index=plan.downloads.index_of_dataset,
    output:
        directory("sources/{dataset}"),
    log:
        "logs/generate_dataset/{dataset}.log",
    wildcard_constraints:
        dataset=pattern(plan.downloads.datasets_by("generator")),
    localrule: True
    conda:
        "../envs/litert.yaml"
    params:
        module=plan.downloads.dataset("generator"),
        root=plan.repository,
    shell:
        r"""
        python {input.code[0]:q} \
            --dataset {wildcards.dataset:q} \
            --module {params.module:q} \
            --root {params.root:q} \
            --index {input.index:q} \
            --output {output:q} \
            &>{log:q}
        """


rule list_samples:
    input:
        code=plan.code("list_samples"),
        index=plan.sample_index,
        other=plan.other_index,
    output:
        "build/{model}/{purpose}.csv",
    log:
        "logs/list_samples/{model}.{purpose}.log",
    localrule: True
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


rule fit_pictures:
    input:
        code=plan.code("fit_pictures"),
        contract=plan.graph_of_source("contract.json"),
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
    output:
        "build/{model}/evaluation.npy",
    log:
        "logs/fit_pictures/{model}.log",
    benchmark:
        "benchmarks/fit_pictures/{model}.tsv"
    group:
        "model"
    conda:
        "../envs/evaluate.yaml"
    params:
        samples=plan.evaluation.flags,
        settings=plan.evaluation.settings,
    shell:
        r"""
        python {input.code[0]:q} \
            --contract {input.contract:q} \
            {params.samples:q} \
            --output {output:q} \
            &>{log:q}
        """
