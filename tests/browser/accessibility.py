"""What axe-core finds on a page, for the programs that drive one."""


def serious(page, **axe):
    """Return ``rule: where`` of each finding that is serious or critical.

    Args:
        page: of Playwright, as it is now.
        axe: ``path`` of axe.min.js, see the fixture ``axe``, or its ``url`` where only scripts of a server may run.
    """
    page.add_script_tag(**axe)
    # It would fetch style sheets, which a page from disk may not.
    found = page.evaluate("async () => (await axe.run({ preload: false })).violations")
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
