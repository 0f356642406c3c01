"""Fetch the files of a model.

Requires: nothing but the card.
Yields: sources/{model}/, verified and unpacked.
"""


localrules:
    fetch_source,


def card_files(wildcards):
    """Return the card's files as JSON, paths inside the repository made relative to the working directory."""
    files = []
    for file in CATALOGUE[wildcards.model]["source"]["files"]:
        urls = [
            url if "://" in url else os.path.relpath(f"{workflow.basedir}/{url}") for url in file["urls"]
        ]
        files.append({**file, "urls": urls})
    return json.dumps(files)


def accept_new_digests(wildcards):
    """Return the flag for models with files of unknown digest, where the configuration accepts them."""
    unknown = any("digest" in file for file in CATALOGUE[wildcards.model]["source"]["files"])
    return "--accept-new-digests" if unknown and config["accept_new_digests"] else ""


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
            {params.accept} \
            2> >(tee {log:q} >&2)
        """
