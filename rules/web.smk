"""Make TensorFlow.js models ready for a page.

Requires: results/{model}/{graph}.{variant}.tfjs/ and their evidence, contracts and anchors; .tflite files of the same graphs.
Yields: results/{model}/decode.js and decode.py with decode.json, which both read, and classes.json;
results/models.json and models.js, the registry; results/{model}/tfjs.md, what the models of a model are; results/tfjs.md,
the table of all.
"""


rule write_decoders:
    input:
        code=plan.code("write_decoders"),
        templates=plan.templates(),
        contract=plan.graph_of_source("contract.json"),
        anchors=plan.anchors_of_source,
    output:
        javascript="results/{model}/decode.js",
        python="results/{model}/decode.py",
        data="results/{model}/decode.json",
        classes="results/{model}/classes.json",
    log:
        "logs/write_decoders/{model}.log",
    localrule: True
    conda:
        "../envs/pages.yaml"
    params:
        card=plan.pages.card,
    shell:
        r"""
        python {input.code[0]:q} \
            --contract {input.contract:q} \
            --card {params.card:q} \
            --anchors {input.anchors:q} \
            --templates {input.templates:q} \
            --output-javascript {output.javascript:q} \
            --output-python {output.python:q} \
            --output-data {output.data:q} \
            --output-classes {output.classes:q} \
            &>{log:q}
        """


rule write_models_json:
    input:
        code=plan.code("write_models_json"),
        artifacts=plan.wanted.paths("tfjs"),
        tflite=plan.wanted.tflite_in_browser(),
        contracts=plan.wanted.contracts("tfjs"),
        pictures=plan.pictures.folders(),
        decoders=plan.wanted.decoders(),  # which the registry names
    output:
        json="results/models.json",
        javascript="results/models.js",
    log:
        "logs/write_models_json.log",
    localrule: True
    conda:
        "../envs/pages.yaml"
    params:
        cards=plan.pages.cards(),
    shell:
        r"""
        python {input.code[0]:q} \
            --artifacts {input.artifacts:q} \
            --tflite {input.tflite:q} \
            --contracts {input.contracts:q} \
            --pictures {input.pictures:q} \
            --cards {params.cards:q} \
            --output-json {output.json:q} \
            --output-javascript {output.javascript:q} \
            &>{log:q}
        """


rule write_web_summary:
    input:
        code=plan.code("write_web_summary"),
        artifacts=plan.tfjs.artifacts,
    output:
        "results/{model}/tfjs.md",
    log:
        "logs/write_web_summary/{model}.log",
    localrule: True
    conda:
        "../envs/pages.yaml"
    params:
        title=plan.card("title"),
    shell:
        r"""
        python {input.code[0]:q} \
            --artifacts {input.artifacts:q} \
            --title={params.title:q} \
            --output {output:q} \
            &>{log:q}
        """


rule write_testing_table:
    input:
        code=plan.code("write_testing_table"),
        evidence=plan.wanted.evidence("tfjs"),
        browser=plan.wanted.browser(),
        metrics=plan.wanted.metrics("tfjs"),
        contracts=plan.wanted.contracts("tfjs"),
    output:
        "results/tfjs.md",
    log:
        "logs/write_testing_table.log",
    localrule: True
    conda:
        "../envs/pages.yaml"
    params:
        cards=plan.pages.cards(),
    shell:
        r"""
        python {input.code[0]:q} \
            --evidence {input.evidence:q} \
            --browser {input.browser:q} \
            --metrics {input.metrics:q} \
            --contracts {input.contracts:q} \
            --cards {params.cards:q} \
            --output {output:q} \
            2>{log:q}
        """
