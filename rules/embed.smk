"""Write artifacts as C arrays, for programs without a file system.

Requires: results/{model}/{graph}.{variant}.tflite.
Yields: results/{model}/{graph}.{variant}.cc and .h.
"""


rule write_c_array:
    input:
        code=plan.code("write_c_array"),
        tflite="results/{model}/{graph}.{variant}.tflite",
    output:
        source="results/{model}/{graph}.{variant}.cc",
        header="results/{model}/{graph}.{variant}.h",
    log:
        "logs/write_c_array/{model}.{graph}.{variant}.log",
    benchmark:
        "benchmarks/write_c_array/{model}.{graph}.{variant}.tsv"
    group:
        "model"
    conda:
        "../envs/litert.yaml"
    params:
        name=plan.c_name,
    shell:
        r"""
        python {input.code[0]:q} \
            --tflite {input.tflite:q} \
            --name {params.name:q} \
            --source {output.source:q} \
            --header {output.header:q} \
            2>{log:q}
        """
