"""Environments that the default job never needs: Snakemake builds them where its own are, and tells their Python."""


rule tf1:
    output:
        "tf1.txt",
    conda:
        "../../envs/tf1.yaml"
    shell:
        "command -v python > {output}"


rule tf115:
    output:
        "tf115.txt",
    conda:
        "tf115.yaml"
    shell:
        "command -v python > {output}"
