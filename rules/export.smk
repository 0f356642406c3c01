"""Export inference graphs.

Requires: sources/{model}/.
Yields: build/{model}/{graph}/graph.pb, saved_model (not with the post-processing op), contract.json and golden.npz; for
detect_cut also anchors.npy and anchors.txt.
"""


localrules:
    install_javascript,


rule export_ssd_graph:
    input:
        code=plan.code("export_ssd_graph"),
        source="sources/{model}",
        golden=plan.golden_samples,
    output:
        graph="build/{model}/detect_cut/graph.pb",
        saved_model=directory("build/{model}/detect_cut/saved_model"),
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
        frozen=plan.source("frozen_graph"),
        override=plan.card("pipeline_override"),
        golden=plan.golden_flags,
        labels=plan.json("labels"),
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
            --allow {params.allow:q} \
            --output-dir {params.folder:q} \
            {params.samples:q} \
            &>{log:q}
        """


rule export_inference:
    input:
        code=plan.code("export_inference"),
        source="sources/{model}",
        golden=plan.golden_samples,
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
        golden=plan.golden_flags,
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


rule add_postprocess:
    input:
        code=plan.code("add_postprocess"),
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
        options=plan.graph_options,
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


rule export_keras:
    input:
        code=plan.code("export_keras"),
        source="sources/{model}",
        golden=plan.golden_samples,
    output:
        graph="build/{model}/main/graph.pb",
        saved_model=directory("build/{model}/main/saved_model"),
        contract="build/{model}/main/contract.json",
        golden="build/{model}/main/golden.npz",
    log:
        "logs/export_keras/{model}.log",
    benchmark:
        "benchmarks/export_keras/{model}.tsv"
    wildcard_constraints:
        model=plan.of_kind("keras"),
    group:
        "model"
    conda:
        "../envs/tf2.yaml"
    resources:
        mem_mb=2000,
    params:
        card=plan.expectations,
        golden=plan.golden_flags,
        path=plan.source("path"),
        allow=plan.source("allow"),
        folder=plan.output_folder,
        samples=[],
    shell:
        r"""
        python {input.code[0]:q} \
            --model {wildcards.model:q} \
            --card {params.card:q} \
            {params.golden:q} \
            --path {input.source:q}/{params.path:q} \
            --allow {params.allow:q} \
            --output-dir {params.folder:q} \
            {params.samples:q} \
            &>{log:q}
        """


rule export_saved_model:
    input:
        code=plan.code("export_saved_model"),
        source="sources/{model}",
        golden=plan.golden_samples,
    output:
        graph="build/{model}/main/graph.pb",
        saved_model=directory("build/{model}/main/saved_model"),
        contract="build/{model}/main/contract.json",
        golden="build/{model}/main/golden.npz",
    log:
        "logs/export_saved_model/{model}.log",
    benchmark:
        "benchmarks/export_saved_model/{model}.tsv"
    wildcard_constraints:
        model=plan.of_kind("saved_model"),
    group:
        "model"
    conda:
        "../envs/tf2.yaml"
    resources:
        mem_mb=2000,
    params:
        card=plan.expectations,
        golden=plan.golden_flags,
        path=plan.source("path"),
        tags=plan.source("tags"),
        signature=plan.source("signature"),
        allow=plan.source("allow"),
        folder=plan.output_folder,
        samples=[],
    shell:
        r"""
        python {input.code[0]:q} \
            --model {wildcards.model:q} \
            --card {params.card:q} \
            {params.golden:q} \
            --path {input.source:q}/{params.path:q} \
            --tags {params.tags:q} \
            --signature {params.signature:q} \
            --allow {params.allow:q} \
            --output-dir {params.folder:q} \
            {params.samples:q} \
            &>{log:q}
        """


rule export_frozen_graph:
    input:
        code=plan.code("export_frozen_graph"),
        source="sources/{model}",
        golden=plan.golden_samples,
    output:
        graph="build/{model}/main/graph.pb",
        saved_model=directory("build/{model}/main/saved_model"),
        contract="build/{model}/main/contract.json",
        golden="build/{model}/main/golden.npz",
    log:
        "logs/export_frozen_graph/{model}.log",
    benchmark:
        "benchmarks/export_frozen_graph/{model}.tsv"
    wildcard_constraints:
        model=plan.of_kind("frozen_graph"),
    group:
        "model"
    conda:
        "../envs/tf2.yaml"
    resources:
        mem_mb=2000,
    params:
        card=plan.expectations,
        golden=plan.golden_flags,
        path=plan.source("path"),
        inputs=plan.json("source", "input_tensors"),
        outputs=plan.json("source", "output_tensors"),
        allow=plan.source("allow"),
        folder=plan.output_folder,
        samples=[],
    shell:
        r"""
        python {input.code[0]:q} \
            --model {wildcards.model:q} \
            --card {params.card:q} \
            {params.golden:q} \
            --path {input.source:q}/{params.path:q} \
            --input-tensors {params.inputs:q} \
            --output-tensors {params.outputs:q} \
            --allow {params.allow:q} \
            --output-dir {params.folder:q} \
            {params.samples:q} \
            &>{log:q}
        """


rule export_tf1_checkpoint:
    input:
        code=plan.code("export_tf1_checkpoint"),
        source="sources/{model}",
        golden=plan.golden_samples,
    output:
        graph="build/{model}/main/graph.pb",
        saved_model=directory("build/{model}/main/saved_model"),
        contract="build/{model}/main/contract.json",
        golden="build/{model}/main/golden.npz",
    log:
        "logs/export_tf1_checkpoint/{model}.log",
    benchmark:
        "benchmarks/export_tf1_checkpoint/{model}.tsv"
    wildcard_constraints:
        model=plan.of_kind("tf1_checkpoint"),
    group:
        "model"
    conda:
        "../envs/tf2.yaml"
    resources:
        mem_mb=2000,
    params:
        card=plan.expectations,
        golden=plan.golden_flags,
        graph=plan.source("graph"),
        checkpoint=plan.source("checkpoint"),
        variables=plan.source("variables"),
        inputs=plan.json("source", "input_tensors"),
        outputs=plan.json("source", "output_tensors"),
        allow=plan.source("allow"),
        folder=plan.output_folder,
        samples=[],
    shell:
        r"""
        python {input.code[0]:q} \
            --model {wildcards.model:q} \
            --card {params.card:q} \
            {params.golden:q} \
            --graph {input.source:q}/{params.graph:q} \
            --checkpoint {input.source:q}/{params.checkpoint:q} \
            --variables {params.variables:q} \
            --input-tensors {params.inputs:q} \
            --output-tensors {params.outputs:q} \
            --allow {params.allow:q} \
            --output-dir {params.folder:q} \
            {params.samples:q} \
            &>{log:q}
        """


rule export_darknet:
    input:
        code=plan.code("export_darknet"),
        source="sources/{model}",
        golden=plan.golden_samples,
    output:
        graph="build/{model}/main/graph.pb",
        saved_model=directory("build/{model}/main/saved_model"),
        contract="build/{model}/main/contract.json",
        golden="build/{model}/main/golden.npz",
    log:
        "logs/export_darknet/{model}.log",
    benchmark:
        "benchmarks/export_darknet/{model}.tsv"
    wildcard_constraints:
        model=plan.of_kind("darknet"),
    group:
        "model"
    conda:
        "../envs/tf2.yaml"
    resources:
        mem_mb=2000,
    params:
        card=plan.expectations,
        golden=plan.golden_flags,
        config=plan.source("config"),
        weights=plan.source("weights"),
        heads=plan.source("heads"),
        folder=plan.output_folder,
        samples=[],
    shell:
        r"""
        python {input.code[0]:q} \
            --model {wildcards.model:q} \
            --card {params.card:q} \
            {params.golden:q} \
            --config {input.source:q}/{params.config:q} \
            --weights {input.source:q}/{params.weights:q} \
            --heads {params.heads:q} \
            --output-dir {params.folder:q} \
            {params.samples:q} \
            &>{log:q}
        """


rule export_onnx:
    input:
        code=plan.code("export_onnx"),
        source="sources/{model}",
        golden=plan.golden_samples,
    output:
        graph="build/{model}/main/graph.pb",
        saved_model=directory("build/{model}/main/saved_model"),
        contract="build/{model}/main/contract.json",
        golden="build/{model}/main/golden.npz",
    log:
        "logs/export_onnx/{model}.log",
    benchmark:
        "benchmarks/export_onnx/{model}.tsv"
    wildcard_constraints:
        model=plan.of_kind("onnx"),
    group:
        "model"
    conda:
        "../envs/onnx.yaml"
    resources:
        mem_mb=3000,
    params:
        card=plan.expectations,
        golden=plan.golden_flags,
        path=plan.source("path"),
        keep=plan.source("keep_layout"),
        folder=plan.output_folder,
        samples=[],
    shell:
        r"""
        python {input.code[0]:q} \
            --model {wildcards.model:q} \
            --card {params.card:q} \
            {params.golden:q} \
            --path {input.source:q}/{params.path:q} \
            --keep-layout {params.keep:q} \
            --output-dir {params.folder:q} \
            {params.samples:q} \
            &>{log:q}
        """


rule run_pytorch:
    input:
        code=plan.code("run_pytorch"),
        source="sources/{model}",
        golden=plan.golden_samples,
    output:
        onnx="build/{model}/main/pytorch.onnx",
        golden="build/{model}/main/pytorch.npz",
    log:
        "logs/run_pytorch/{model}.log",
    benchmark:
        "benchmarks/run_pytorch/{model}.tsv"
    wildcard_constraints:
        model=plan.of_kind("pytorch"),
    group:
        "model"
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=2000,
    params:
        card=plan.expectations,
        golden=plan.golden_flags,
        path=plan.source("path"),
        keep=plan.source("keep_layout"),
    shell:
        r"""
        python {input.code[0]:q} \
            --model {wildcards.model:q} \
            --card {params.card:q} \
            {params.golden:q} \
            --path {input.source:q}/{params.path:q} \
            --keep-layout {params.keep:q} \
            --output-onnx {output.onnx:q} \
            --output-golden {output.golden:q} \
            &>{log:q}
        """


rule export_pytorch:
    input:
        code=plan.code("export_pytorch"),
        onnx="build/{model}/main/pytorch.onnx",
        golden="build/{model}/main/pytorch.npz",
    output:
        graph="build/{model}/main/graph.pb",
        saved_model=directory("build/{model}/main/saved_model"),
        contract="build/{model}/main/contract.json",
        golden="build/{model}/main/golden.npz",
    log:
        "logs/export_pytorch/{model}.log",
    benchmark:
        "benchmarks/export_pytorch/{model}.tsv"
    wildcard_constraints:
        model=plan.of_kind("pytorch"),
    group:
        "model"
    conda:
        "../envs/onnx.yaml"
    resources:
        mem_mb=3000,
    params:
        card=plan.expectations,
        keep=plan.source("keep_layout"),
    shell:
        r"""
        python {input.code[0]:q} \
            --model {wildcards.model:q} \
            --card {params.card:q} \
            --onnx {input.onnx:q} \
            --golden {input.golden:q} \
            --keep-layout {params.keep:q} \
            --output-dir "$(dirname {output.graph:q})" \
            &>{log:q}
        """


rule export_tflite:
    input:
        code=plan.code("export_tflite"),
        source="sources/{model}",
        golden=plan.golden_samples,
    output:
        graph="build/{model}/main/graph.pb",
        saved_model=directory("build/{model}/main/saved_model"),
        contract="build/{model}/main/contract.json",
        golden="build/{model}/main/golden.npz",
    log:
        "logs/export_tflite/{model}.log",
    benchmark:
        "benchmarks/export_tflite/{model}.tsv"
    wildcard_constraints:
        model=plan.of_kind("tflite"),
    group:
        "model"
    conda:
        "../envs/onnx.yaml"
    resources:
        mem_mb=3000,
    params:
        card=plan.expectations,
        golden=plan.golden_flags,
        path=plan.source("path"),
        outputs=plan.json("source", "output_tensors"),
        folder=plan.output_folder,
        samples=[],
    shell:
        r"""
        python {input.code[0]:q} \
            --model {wildcards.model:q} \
            --card {params.card:q} \
            {params.golden:q} \
            --path {input.source:q}/{params.path:q} \
            --output-tensors {params.outputs:q} \
            --output-dir {params.folder:q} \
            {params.samples:q} \
            &>{log:q}
        """


rule install_javascript:
    input:
        code=plan.code("install_javascript"),
        lock=plan.file("web/package-lock.json"),
    output:
        plan.installed(javascript.BROWSER),
    log:
        "logs/install_javascript.log",
    conda:
        "../envs/base.yaml"
    params:
        files=javascript.BROWSER,
    shell:
        r"""
        python {input.code[0]:q} \
            --lock {input.lock:q} \
            --files {params.files:q} \
            --output-dir build/javascript \
            &>{log:q}
        """


rule export_tfjs:
    input:
        code=plan.code("export_tfjs"),
        scripts=plan.web(javascript.NODE_SCRIPTS),
        library=plan.installed(javascript.NODE),
        source="sources/{model}",
        golden=plan.golden_samples,
    output:
        graph="build/{model}/main/graph.pb",
        saved_model=directory("build/{model}/main/saved_model"),
        contract="build/{model}/main/contract.json",
        golden="build/{model}/main/golden.npz",
    log:
        "logs/export_tfjs/{model}.log",
    benchmark:
        "benchmarks/export_tfjs/{model}.tsv"
    wildcard_constraints:
        model=plan.of_kind("tfjs"),
    group:
        "model"
    conda:
        "../envs/tf2.yaml"
    resources:
        mem_mb=3000,
    params:
        card=plan.expectations,
        golden=plan.golden_flags,
        path=plan.source("path"),
        allow=plan.source("allow"),
        outputs=plan.json("source", "output_tensors"),
        folder=plan.output_folder,
        samples=[],
    shell:
        r"""
        python {input.code[0]:q} \
            --model {wildcards.model:q} \
            --card {params.card:q} \
            {params.golden:q} \
            --path {input.source:q}/{params.path:q} \
            --output-tensors {params.outputs:q} \
            --allow {params.allow:q} \
            --library build/javascript \
            --output-dir {params.folder:q} \
            {params.samples:q} \
            &>{log:q}
        """
