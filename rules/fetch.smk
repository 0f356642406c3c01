"""Fetch the files of a model or a data set.

Requires: nothing but the card.
Yields: sources/{source}/, verified and unpacked.
"""


rule fetch_source:
    input:
        code=plan.code("fetch_source"),
        index=plan.downloads.index_of_source,
    output:
        directory("sources/{source}"),
    log:
        "logs/fetch_source/{source}.log",
    wildcard_constraints:
        source=other_than(plan.downloads.datasets_by("generator")),
    localrule: True
    conda:
        "../envs/base.yaml"
    params:
        files=plan.downloads.listed_files,
        urls=plan.downloads.sample_urls,
        new_digests=plan.downloads.new_digests,
        local_digests=plan.downloads.local_digests,
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
            --events-fd 4 \
            --new-digests {params.new_digests:q} \
            --local-digests {params.local_digests:q} \
            3>&2 4>&1 &>{log:q}
        """
