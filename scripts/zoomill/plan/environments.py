"""Building the environments of a run: two at a time, where Snakemake builds one after the other."""

from concurrent.futures import ThreadPoolExecutor

_AT_ONCE = 2  # one fetches and links files while the other compiles


def build_at_once(graph):
    """Have Snakemake find the environments built; for the stand-in of conda, whose calls do not disturb each other.

    Args:
        graph: Snakemake's class ``DAG``.
    """
    one_by_one = graph.create_conda_envs

    def create(dag, dryrun=False, quiet=False):
        if not (dryrun or dag.workflow.dryrun or dag.workflow.touch):
            wanted = [environment for environment in dag.conda_envs.values() if not environment.is_externally_managed]
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(lambda environment: environment.create(), wanted))
        one_by_one(dag, dryrun, quiet)

    graph.create_conda_envs = create
