"""Draw what sources and their TFLite artifacts find in golden pictures.

Requires: results/{model}/{graph}.{variant}.tflite, their contracts, golden.npz and anchors.
Yields: results/{model}/pictures/: sample-{n}.png, the pictures; {graph}.source.{n}.png and {graph}.{variant}.{n}.png, what
was found in them; index.json, which says what is on which.
"""


rule draw_pictures:
    input:
        code=plan.code("draw_pictures"),
        artifacts=plan.pictures.artifacts,
        contracts=plan.pictures.contracts,
        golden=plan.pictures.golden,
        anchors=plan.anchors_of_source,
    output:
        directory("results/{model}/pictures"),
    log:
        "logs/draw_pictures/{model}.log",
    benchmark:
        "benchmarks/draw_pictures/{model}.tsv"
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        card=plan.pages.card_with_metric,
    shell:
        r"""
        python {input.code[0]:q} \
            --artifacts {input.artifacts:q} \
            --contracts {input.contracts:q} \
            --golden {input.golden:q} \
            --anchors {input.anchors:q} \
            --card {params.card:q} \
            --output {output:q} \
            &>{log:q}
        """
