"""Compute the task metric of sources and artifacts on the evaluation samples of a model's card.

Requires: sources/{model}/, build/{model}/evaluation.csv and its data set, contracts and artifacts.
Yields: build/{model}/{graph}/predictions.npz, what the source makes of the samples in its own framework;
results/{model}/source.metric.json, results/{model}/{graph}.{variant}.metric.json of .tflite files and
{graph}.{variant}.tfjs.metric.json, with .samples.jsonl beside them.
"""


use rule export_ssd_graph as predict_ssd_graph with:
    input:
        code=plan.code("export_ssd_graph"),
        source="sources/{model}",
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
    output:
        "build/{model}/detect_cut/predictions.npz",
    log:
        "logs/predict_ssd_graph/{model}.log",
    benchmark:
        "benchmarks/predict_ssd_graph/{model}.tsv"
    params:
        frozen=plan.source("frozen_graph"),
        override=plan.card("pipeline_override"),
        golden=[],
        labels=plan.json("labels"),
        allow=plan.source("allow"),
        folder=plan.output_folder,
        samples=plan.sample_flags,


use rule export_keras as predict_keras with:
    input:
        code=plan.code("export_keras"),
        source="sources/{model}",
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
    output:
        "build/{model}/main/predictions.npz",
    log:
        "logs/predict_keras/{model}.log",
    benchmark:
        "benchmarks/predict_keras/{model}.tsv"
    params:
        card=plan.expectations,
        golden=[],
        path=plan.source("path"),
        allow=plan.source("allow"),
        folder=plan.output_folder,
        samples=plan.sample_flags,


use rule export_saved_model as predict_saved_model with:
    input:
        code=plan.code("export_saved_model"),
        source="sources/{model}",
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
    output:
        "build/{model}/main/predictions.npz",
    log:
        "logs/predict_saved_model/{model}.log",
    benchmark:
        "benchmarks/predict_saved_model/{model}.tsv"
    params:
        card=plan.expectations,
        golden=[],
        path=plan.source("path"),
        tags=plan.source("tags"),
        signature=plan.source("signature"),
        allow=plan.source("allow"),
        folder=plan.output_folder,
        samples=plan.sample_flags,


use rule export_frozen_graph as predict_frozen_graph with:
    input:
        code=plan.code("export_frozen_graph"),
        source="sources/{model}",
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
    output:
        "build/{model}/main/predictions.npz",
    log:
        "logs/predict_frozen_graph/{model}.log",
    benchmark:
        "benchmarks/predict_frozen_graph/{model}.tsv"
    params:
        card=plan.expectations,
        golden=[],
        path=plan.source("path"),
        inputs=plan.json("source", "input_tensors"),
        outputs=plan.json("source", "output_tensors"),
        allow=plan.source("allow"),
        folder=plan.output_folder,
        samples=plan.sample_flags,


use rule export_tf1_checkpoint as predict_tf1_checkpoint with:
    input:
        code=plan.code("export_tf1_checkpoint"),
        source="sources/{model}",
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
    output:
        "build/{model}/main/predictions.npz",
    log:
        "logs/predict_tf1_checkpoint/{model}.log",
    benchmark:
        "benchmarks/predict_tf1_checkpoint/{model}.tsv"
    params:
        card=plan.expectations,
        golden=[],
        graph=plan.source("graph"),
        checkpoint=plan.source("checkpoint"),
        variables=plan.source("variables"),
        inputs=plan.json("source", "input_tensors"),
        outputs=plan.json("source", "output_tensors"),
        allow=plan.source("allow"),
        folder=plan.output_folder,
        samples=plan.sample_flags,


use rule export_darknet as predict_darknet with:
    input:
        code=plan.code("export_darknet"),
        source="sources/{model}",
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
    output:
        "build/{model}/main/predictions.npz",
    log:
        "logs/predict_darknet/{model}.log",
    benchmark:
        "benchmarks/predict_darknet/{model}.tsv"
    params:
        card=plan.expectations,
        golden=[],
        config=plan.source("config"),
        weights=plan.source("weights"),
        heads=plan.source("heads"),
        folder=plan.output_folder,
        samples=plan.sample_flags,


use rule export_onnx as predict_onnx with:
    input:
        code=plan.code("export_onnx"),
        source="sources/{model}",
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
    output:
        "build/{model}/main/predictions.npz",
    log:
        "logs/predict_onnx/{model}.log",
    benchmark:
        "benchmarks/predict_onnx/{model}.tsv"
    params:
        card=plan.expectations,
        golden=[],
        path=plan.source("path"),
        keep=plan.source("keep_layout"),
        folder=plan.output_folder,
        samples=plan.sample_flags,


use rule export_tflite as predict_tflite with:
    input:
        code=plan.code("export_tflite"),
        source="sources/{model}",
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
    output:
        "build/{model}/main/predictions.npz",
    log:
        "logs/predict_tflite/{model}.log",
    benchmark:
        "benchmarks/predict_tflite/{model}.tsv"
    params:
        card=plan.expectations,
        golden=[],
        path=plan.source("path"),
        outputs=plan.json("source", "output_tensors"),
        folder=plan.output_folder,
        samples=plan.sample_flags,


use rule export_tfjs as predict_tfjs with:
    input:
        code=plan.code("export_tfjs"),
        script=os.path.relpath(f"{workflow.basedir}/scripts/run_tfjs.js"),
        library="build/javascript/tf.min.js",
        source="sources/{model}",
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
    output:
        "build/{model}/main/predictions.npz",
    log:
        "logs/predict_tfjs/{model}.log",
    benchmark:
        "benchmarks/predict_tfjs/{model}.tsv"
    params:
        card=plan.expectations,
        golden=[],
        path=plan.source("path"),
        allow=plan.source("allow"),
        outputs=plan.json("source", "output_tensors"),
        folder=plan.output_folder,
        samples=plan.sample_flags,


rule evaluate_source:
    input:
        code=plan.code("evaluate_source"),
        predictions=plan.graph_of_source("predictions.npz"),
        contract=plan.graph_of_source("contract.json"),
        anchors=plan.anchors_of_source,
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
    output:
        figures="results/{model}/source.metric.json",
        samples="results/{model}/source.samples.jsonl",
    log:
        "logs/evaluate_source/{model}.log",
    benchmark:
        "benchmarks/evaluate_source/{model}.tsv"
    group:
        "model"
    conda:
        "../envs/evaluate.yaml"
    params:
        form=plan.evaluation.form,
        preprocess=plan.preprocess,
        metric=plan.metric,
    shell:
        r"""
        python {input.code[0]:q} \
            --predictions {input.predictions:q} \
            --contract {input.contract:q} \
            --anchors {input.anchors:q} \
            --samples {input.samples:q} \
            --folder {input.folder:q} \
            --form {params.form:q} \
            --preprocess {params.preprocess:q} \
            --metric {params.metric:q} \
            --output {output.figures:q} \
            --output-samples {output.samples:q} \
            &>{log:q}
        """


rule evaluate_tflite:
    input:
        code=plan.code("evaluate_tflite"),
        artifact="results/{model}/{graph}.{variant}.tflite",
        contract="build/{model}/{graph}/contract.json",
        anchors=plan.anchors,
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
    output:
        figures="results/{model}/{graph}.{variant}.metric.json",
        samples="results/{model}/{graph}.{variant}.samples.jsonl",
    log:
        "logs/evaluate_tflite/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/evaluate_tflite/{model}.{graph}.{variant}.tsv"
    group:
        "model"
    conda:
        "../envs/evaluate.yaml"
    params:
        form=plan.evaluation.form,
        preprocess=plan.preprocess,
        metric=plan.metric,
    shell:
        r"""
        python {input.code[0]:q} \
            --artifact {input.artifact:q} \
            --variant {wildcards.variant:q} \
            --contract {input.contract:q} \
            --anchors {input.anchors:q} \
            --samples {input.samples:q} \
            --folder {input.folder:q} \
            --form {params.form:q} \
            --preprocess {params.preprocess:q} \
            --metric {params.metric:q} \
            --output {output.figures:q} \
            --output-samples {output.samples:q} \
            &>{log:q}
        """


rule evaluate_tfjs:
    input:
        code=plan.code("evaluate_tfjs"),
        scripts=plan.web(javascript.NODE_SCRIPTS),
        library=plan.installed(javascript.NODE),
        artifact="results/{model}/{graph}.{variant}.tfjs",
        contract="build/{model}/{graph}/contract.json",
        anchors=plan.anchors,
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
    output:
        figures="results/{model}/{graph}.{variant}.tfjs.metric.json",
        samples="results/{model}/{graph}.{variant}.tfjs.samples.jsonl",
    log:
        "logs/evaluate_tfjs/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/evaluate_tfjs/{model}.{graph}.{variant}.tsv"
    wildcard_constraints:
        variant=pattern(variants.names(format="tfjs")),
    group:
        "model"
    conda:
        "../envs/evaluate.yaml"
    params:
        form=plan.evaluation.form,
        preprocess=plan.preprocess,
        metric=plan.metric,
    shell:
        r"""
        python {input.code[0]:q} \
            --artifact {input.artifact:q} \
            --variant {wildcards.variant:q} \
            --library build/javascript \
            --contract {input.contract:q} \
            --anchors {input.anchors:q} \
            --samples {input.samples:q} \
            --folder {input.folder:q} \
            --form {params.form:q} \
            --preprocess {params.preprocess:q} \
            --metric {params.metric:q} \
            --output {output.figures:q} \
            --output-samples {output.samples:q} \
            &>{log:q}
        """
