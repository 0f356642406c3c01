"""Fetch the files of a model or a data set, or make a data set.

Requires: nothing but the card.
Yields: sources/{source}/, verified and unpacked.
"""


localrules:
    fetch_source,
    generate_dataset,


rule fetch_source:
    input:
        code=code("fetch_source"),
        index=index_of_source,
    output:
        directory("sources/{source}"),
    log:
        "logs/fetch_source/{source}.log",
    wildcard_constraints:
        source=one_of([*CATALOGUE, *generated(False)]),
    conda:
        "../envs/base.yaml"
    params:
        files=card_files,
        urls=sample_urls,
        new_digests=new_digests,
    shell:
        r"""
        python {input.code[0]:q} \
            --model {wildcards.source:q} \
            --files {params.files:q} \
            --index {input.index:q} \
            --sample-urls {params.urls:q} \
            --cache sources/.cache \
            --lock sources.lock \
            --output {output:q} \
            --progress-fd 3 \
            --new-digests {params.new_digests:q} \
            3>&2 &>{log:q}
        """


rule generate_dataset:
    input:
        code=code("generate_dataset"),
        generator=generator_code,
        index=lambda wildcards: index(wildcards.dataset),
    output:
        directory("sources/{dataset}"),
    log:
        "logs/generate_dataset/{dataset}.log",
    wildcard_constraints:
        dataset=one_of(generated(True)),
    conda:
        "../envs/litert.yaml"
    params:
        module=dataset("generator"),
        root=os.path.relpath(workflow.basedir),
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
