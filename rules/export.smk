"""Export inference graphs, and run their sources on samples.

Requires: sources/{model}/; of samples, build/{model}/evaluation.csv and its data set.
Yields: build/{model}/{graph}/graph.pb, saved_model (not with the post-processing op), contract.json and golden.npz; for
detect_cut also anchors.npy and anchors.txt. build/{model}/{graph}/predictions.npz of models with an evaluation: what the
source makes of the samples in its own framework.
"""


rule export_tf1_detection:
    input:
        code=plan.code("export_tf1_detection"),
        source="sources/{model}",
        golden=plan.golden_inputs.samples,
    output:
        graph="build/{model}/detect_cut/graph.pb",
        saved_model=directory("build/{model}/detect_cut/saved_model"),
        contract="build/{model}/detect_cut/contract.json",
        golden="build/{model}/detect_cut/golden.npz",
        anchors="build/{model}/detect_cut/anchors.npy",
        anchor_list="build/{model}/detect_cut/anchors.txt",
    log:
        "logs/export_tf1_detection/{model}.log",
    benchmark:
        "benchmarks/export_tf1_detection/{model}.tsv"
    group:
        "model"
    conda:
        "../envs/tf2.yaml"
    resources:
        mem_mb=2000,
    params:
        frozen=plan.source("frozen_graph"),
        override=plan.card("pipeline_override"),
        golden=plan.golden_inputs.flags,
        settings=plan.golden_inputs.settings,
        labels=plan.json("labels"),
        about=plan.about,
        postprocess=plan.json("postprocess"),
        allow=plan.source("allow"),
        folder=plan.output_folder,
        samples=[],
    shell:
        r"""
        python {input.code[0]:q} \
            --model {wildcards.model:q} \
            --source {input.source:q} \
            --frozen-graph {params.frozen:q} \
            --pipeline-override={params.override:q} \
            {params.golden:q} \
            --labels {params.labels:q} \
            --about {params.about:q} \
            --postprocess {params.postprocess:q} \
            --allow {params.allow:q} \
            --output-dir {params.folder:q} \
            {params.samples:q} \
            &>{log:q}
        """


use rule export_tf1_detection as predict_tf1_detection with:
    input:
        code=plan.code("export_tf1_detection"),
        source="sources/{model}",
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
    output:
        "build/{model}/detect_cut/predictions.npz",
    log:
        "logs/predict_tf1_detection/{model}.log",
    benchmark:
        "benchmarks/predict_tf1_detection/{model}.tsv"
    params:
        frozen=plan.source("frozen_graph"),
        override=plan.card("pipeline_override"),
        golden=[],
        labels=plan.json("labels"),
        about=plan.about,
        postprocess=plan.json("postprocess"),
        allow=plan.source("allow"),
        folder=plan.output_folder,
        samples=plan.evaluation.flags,
        settings=plan.evaluation.settings,


rule export_inference:
    input:
        code=plan.code("export_inference"),
        source="sources/{model}",
        golden=plan.golden_inputs.samples,
        contract="build/{model}/detect_cut/contract.json",
    output:
        graph="build/{model}/inference/graph.pb",
        saved_model=directory("build/{model}/inference/saved_model"),
        contract="build/{model}/inference/contract.json",
        golden="build/{model}/inference/golden.npz",
    log:
        "logs/export_inference/{model}.log",
    benchmark:
        "benchmarks/export_inference/{model}.tsv"
    wildcard_constraints:
        model=plan.of_kind("tf1_detection"),
    group:
        "model"
    conda:
        "../envs/tf2.yaml"
    resources:
        mem_mb=2000,
    params:
        frozen=plan.source("frozen_graph"),
        allow=plan.source("allow"),
        golden=plan.golden_inputs.flags,
        settings=plan.golden_inputs.settings,
    shell:
        r"""
        python {input.code[0]:q} \
            --contract {input.contract:q} \
            --path {input.source:q}/{params.frozen:q} \
            {params.golden:q} \
            --allow {params.allow:q} \
            --output-dir "$(dirname {output.graph:q})" \
            &>{log:q}
        """


rule write_contract:
    input:
        code=plan.code("write_contract"),
        contract="build/{model}/detect_cut/contract.json",
    output:
        "build/{model}/{graph}/contract.json",
    log:
        "logs/write_contract/{model}.{graph}.log",
    wildcard_constraints:
        graph="detect_(?!cut/)[a-z0-9_]+",
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        options=plan.graph_options,
    shell:
        r"""
        python {input.code[0]:q} \
            --contract {input.contract:q} \
            --name {wildcards.graph:q} \
            --options {params.options:q} \
            --output {output:q} \
            &>{log:q}
        """


rule add_postprocess:
    input:
        code=plan.code("add_postprocess"),
        graph="build/{model}/detect_cut/graph.pb",
        anchors="build/{model}/detect_cut/anchors.npy",
        contract="build/{model}/{graph}/contract.json",
    output:
        "build/{model}/{graph}/graph.pb",
    log:
        "logs/add_postprocess/{model}.{graph}.log",
    wildcard_constraints:
        graph="detect_(?!cut/)[a-z0-9_]+",
    group:
        "model"
    conda:
        "../envs/tf2.yaml"
    shell:
        r"""
        python {input.code[0]:q} \
            --graph {input.graph:q} \
            --anchors {input.anchors:q} \
            --contract {input.contract:q} \
            --output {output:q} \
            &>{log:q}
        """


# One command line for all kinds: what they are given stands in params.
EXPORT = r"""
        python {input.code[0]:q} \
            --model {wildcards.model:q} \
            --source {input.source:q} \
            --options {params.options:q} \
            --card {params.card:q} \
            {params.tools:q} \
            {params.given:q} \
            --output-dir {params.folder:q} \
            &>{log:q}
        """
# What comes of a source, and the inputs and flags that say what it is run on.
GRAPH = {
    "graph": "build/{model}/main/graph.pb",
    "saved_model": directory("build/{model}/main/saved_model"),
    "contract": "build/{model}/main/contract.json",
    "golden": "build/{model}/main/golden.npz",
}
RUNS = {
    "export": (
        GRAPH,
        {"golden": plan.golden_inputs.samples},
        plan.golden_inputs.flags,
        plan.golden_inputs.settings,
    ),
    "predict": (
        {"predictions": "build/{model}/main/predictions.npz"},
        {"samples": plan.evaluation.list, "folder": plan.evaluation.folder},
        plan.evaluation.flags,
        plan.evaluation.settings,
    ),
}

for source_kind, needs in KINDS.items():
    for verb, (made, given, flags, settings) in RUNS.items():

        rule:
            name:
                f"{verb}_{source_kind}"
            input:
                **given,
                code=plan.code(f"export_{source_kind}"),
                source="sources/{model}",
                javascript=plan.tfjs.node() if needs.javascript else [],
            output:
                **made,
            log:
                f"logs/{verb}_{source_kind}/{{model}}.log",
            benchmark:
                f"benchmarks/{verb}_{source_kind}/{{model}}.tsv"
            wildcard_constraints:
                model=plan.of_kind(source_kind),
            # Jobs of an environment follow one another, so that fewer large processes live: see docs/architecture.md.
            priority: needs.priority
            group:
                "model"
            conda:
                f"../envs/{needs.environment}.yaml"
            resources:
                mem_mb=needs.mem_mb,
            params:
                options=plan.source_options,
                card=plan.expectations,
                tools=["--library", "build/javascript"] if needs.javascript else [],
                given=flags,
                settings=settings,
                folder=plan.output_folder,
            shell:
                EXPORT


rule run_pytorch:
    input:
        code=plan.code("run_pytorch"),
        source="sources/{model}",
        golden=plan.golden_inputs.samples,
    output:
        directory("build/{model}/main/pytorch"),
    log:
        "logs/run_pytorch/{model}.log",
    benchmark:
        "benchmarks/run_pytorch/{model}.tsv"
    wildcard_constraints:
        model=plan.of_kind("pytorch"),
    priority: 1
    group:
        "model"
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=2000,
    params:
        options=plan.source_options,
        card=plan.expectations,
        tools=[],
        given=plan.golden_inputs.flags,
        settings=plan.golden_inputs.settings,
        folder=plan.output_folder,
    shell:
        EXPORT


use rule export_onnx as export_pytorch with:
    input:
        code=plan.code("export_pytorch"),
        source="build/{model}/main/pytorch",
    log:
        "logs/export_pytorch/{model}.log",
    benchmark:
        "benchmarks/export_pytorch/{model}.tsv"
    wildcard_constraints:
        model=plan.of_kind("pytorch"),
    params:
        options=plan.source_options,
        card=plan.expectations,
        tools=[],
        given=[],
        settings=[],
        folder=plan.output_folder,


use rule run_pytorch as predict_pytorch with:
    input:
        code=plan.code("predict_pytorch"),
        source="sources/{model}",
        golden="build/{model}/main/golden.npz",
        samples=plan.evaluation.list,
        folder=plan.evaluation.folder,
    output:
        "build/{model}/main/predictions.npz",
    log:
        "logs/predict_pytorch/{model}.log",
    benchmark:
        "benchmarks/predict_pytorch/{model}.tsv"
    params:
        options=plan.source_options,
        card=plan.expectations,
        tools=["--golden", "build/{model}/main/golden.npz"],
        given=plan.evaluation.flags,
        settings=plan.evaluation.settings,
        folder=plan.output_folder,
