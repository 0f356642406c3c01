"""Export inference graphs.

Requires: sources/{model}/.
Yields: build/{model}/{graph}/graph.pb and contract.json; for detect_cut also golden.npz, anchors.npy, anchors.txt.
"""


rule export_ssd_graph:
    input:
        code=code("export_ssd_graph"),
        source="sources/{model}",
    output:
        graph="build/{model}/detect_cut/graph.pb",
        contract="build/{model}/detect_cut/contract.json",
        golden="build/{model}/detect_cut/golden.npz",
        anchors="build/{model}/detect_cut/anchors.npy",
        anchor_list="build/{model}/detect_cut/anchors.txt",
    log:
        "logs/export_ssd_graph/{model}.log",
    benchmark:
        "benchmarks/export_ssd_graph/{model}.tsv"
    group:
        "model"
    conda:
        "../envs/tf2.yaml"
    resources:
        mem_mb=2000,
    params:
        override=card("pipeline_override"),
        images=golden_images,
        labels=card("labels"),
    shell:
        r"""
        python {input.code[0]:q} \
            --model {wildcards.model:q} \
            --source {input.source:q} \
            --pipeline-override={params.override:q} \
            --golden-images {params.images:q} \
            --labels {params.labels:q} \
            --output-dir "$(dirname {output.graph:q})" \
            &>{log:q}
        """


rule add_postprocess:
    input:
        code=code("add_postprocess"),
        graph="build/{model}/detect_cut/graph.pb",
        contract="build/{model}/detect_cut/contract.json",
        anchors="build/{model}/detect_cut/anchors.npy",
    output:
        graph="build/{model}/{graph}/graph.pb",
        contract="build/{model}/{graph}/contract.json",
    log:
        "logs/add_postprocess/{model}.{graph}.log",
    wildcard_constraints:
        graph="detect_(?!cut/)[a-z0-9_]+",
    group:
        "model"
    conda:
        "../envs/tf2.yaml"
    params:
        options=graph_options,
    shell:
        r"""
        python {input.code[0]:q} \
            --graph {input.graph:q} \
            --contract {input.contract:q} \
            --anchors {input.anchors:q} \
            --name {wildcards.graph:q} \
            --options {params.options:q} \
            --output-graph {output.graph:q} \
            --output-contract {output.contract:q} \
            &>{log:q}
        """
