"""What has a part in what a command makes: our own files and the environment, as the rules have them."""

import os

# Inputs of rules in which our own files are, besides the code of the command.
_BESIDE = ("javascript", "templates")


def of_rules(rules, environments):
    """Return ``{command: {"script": path, "beside": [path], "environment": [path]}}`` of all rules that run one.

    Paths are relative to the working directory; ``beside`` are our own files that the command's code does not import.

    Args:
        rules: of Snakemake's workflow, in which those of another one, that uses ours as a module, are passed over.
        environments: folder of the files that say what is in the environments.
    """
    found = [_of_rule(rule, environments) for rule in rules if rule.shellcmd and rule.input.get("code")]
    return {os.path.basename(parts["script"]).removesuffix(".py"): parts for parts in found}


def _of_rule(rule, environments):
    # Snakemake keeps what the rule says, which begins at the rule's file.
    environment = os.path.join(environments, os.path.basename(str(rule.conda_env)))
    extra = f"{environment.removesuffix('.yaml')}.post-deploy.sh"
    return {
        "script": str(rule.input.code[0]),
        "beside": [str(path) for name in _BESIDE for path in rule.input.get(name, []) if not path.startswith("build/")],
        "environment": [environment, *([extra] if os.path.exists(extra) else [])],
    }
