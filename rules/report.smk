"""Say what came out.

Requires: the evidence of all configured artifacts, and the closer looks that the configuration names.
Yields: build/{model}/source.txt and source.json, what a source is; results/summary.md; results/report/, the pages that a
person opens; the target catalogue.
"""


rule summarise:
    input:
        code=plan.code("summarise"),
        evidence=plan.wanted.evidence(),
        metrics=plan.wanted.metrics("tflite") + plan.wanted.micro_metrics(),
        gates=plan.wanted.gates(),
        looked=plan.wanted.looked(),
    output:
        report("results/summary.md", caption="captions/summary.rst", category="Summary"),
    log:
        "logs/summarise.log",
    localrule: True
    conda:
        "../envs/base.yaml"
    params:
        drops=plan.wanted.drops(),
        missing=[],  # a run that ends red says here what failed
    shell:
        r"""
        python {input.code[0]:q} \
            --evidence {input.evidence:q} \
            --metrics {input.metrics:q} \
            --gates {input.gates:q} \
            --looked {input.looked:q} \
            --drops {params.drops:q} \
            --missing {params.missing:q} \
            --output {output:q} \
            2>{log:q}
        """


rule write_report:
    input:
        code=plan.code("write_report"),
        templates=plan.report_templates(),
        evidence=plan.wanted.evidence(),
        metrics=plan.wanted.metrics("tflite") + plan.wanted.metrics("tfjs") + plan.wanted.micro_metrics(),
        gates=plan.wanted.gates(),
        looked=plan.wanted.looked(),
        drawings=plan.wanted.drawings(),
        contracts=plan.wanted.contracts(),
        sources=expand("build/{model}/source.json", model=config["models"]),
        provenance=expand("results/{model}/provenance.json", model=config["models"]),
        pictures=plan.pictures.folders(),
    output:
        directory("results/report"),  # Snakemake's own report takes no folder but in a .zip
    log:
        "logs/write_report.log",
    localrule: True
    conda:
        "../envs/pages.yaml"
    params:
        cards=plan.pages.report(),
        missing=[],  # a run that ends red says here what failed
    shell:
        r"""
        python {input.code[0]:q} \
            --evidence {input.evidence:q} \
            --metrics {input.metrics:q} \
            --gates {input.gates:q} \
            --looked {input.looked:q} \
            --drawings {input.drawings:q} \
            --contracts {input.contracts:q} \
            --sources {input.sources:q} \
            --provenance {input.provenance:q} \
            --pictures {input.pictures:q} \
            --cards {params.cards:q} \
            --missing {params.missing:q} \
            --templates {input.templates:q} \
            --output {output:q} \
            2>{log:q}
        """


rule catalogue:
    input:
        code=plan.code("catalogue"),
        cards=plan.cards,
    log:
        "logs/catalogue.log",
    localrule: True
    conda:
        "../envs/base.yaml"
    shell:
        r"""
        python {input.code[0]:q} \
            --cards {input.cards:q} \
            --results results \
            2>{log:q}
        """


rule inspect_model:
    input:
        code=plan.code("inspect_model"),
        source="sources/{model}",
    output:
        table="build/{model}/source.txt",
        json="build/{model}/source.json",
    log:
        "logs/inspect_model/{model}.log",
    localrule: True  # only the report asks for it, so it would be a submission of its own
    conda:
        "../envs/litert.yaml"
    params:
        file=plan.main_file,
    shell:
        r"""
        python {input.code[0]:q} {input.source:q}/{params.file:q} \
            --json {output.json:q} \
            >{output.table:q} \
            2>{log:q}
        """
