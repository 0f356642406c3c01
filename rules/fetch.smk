"""Fetch the files of a model.

Requires: nothing but the card.
Yields: sources/{model}/, verified and unpacked.
"""


localrules:
    fetch_source,


rule fetch_source:
    input:
        code=code("fetch_source"),
    output:
        directory("sources/{model}"),
    log:
        "logs/fetch_source/{model}.log",
    conda:
        "../envs/base.yaml"
    params:
        files=card_files,
        accept=accept_new_digests,
    shell:
        r"""
        python {input.code[0]:q} \
            --model {wildcards.model:q} \
            --files {params.files:q} \
            --cache sources/.cache \
            --lock sources.lock \
            --output {output:q} \
            --progress-fd 3 \
            {params.accept} \
            3>&2 &>{log:q}
        """
