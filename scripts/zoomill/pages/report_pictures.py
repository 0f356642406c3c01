"""What the report shows of the pictures that ``draw_pictures`` made: rows of them, and differences in words."""


def of_model(document, rows):
    """Return what a model's page shows, one entry for each graph, nothing where no artifact is of the bytes drawn.

    Args:
        document: index.json of the model's pictures, or None.
        rows: of the model, see :func:`zoomill.pages.report.rows`.

    Returns:
        List of ``graph``; ``form``; ``shown_from``, the lowest score of a box; ``rows``, for each sample its file
        ``sample`` and ``figures``, of which each has ``names``, all who gave the very same, and one of ``file`` and
        ``classes``; and ``said``, pairs of a name and words on how far it is from the source.
    """
    shown, digests = [], {row["artifact"]: row["sha256"] for row in rows}
    for graph, drawn in document["graphs"].items() if document else ():
        source, *others = drawn["found"]
        others = [item for item in others if digests.get(item["artifact"]) == item["sha256"]]
        if others:
            rows = [
                {"sample": sample, "figures": _figures([source, *others], number)}
                for number, sample in enumerate(document["samples"])
            ]
            said = [(item["variant"], _words(drawn["form"], source, item)) for item in others]
            about = {key: drawn[key] for key in ("form", "shown_from")}
            shown.append({"graph": graph, **about, "rows": rows, "said": said})
    return shown


def _figures(items, number):
    """Return what was found in one sample; those who found the same are in one figure."""
    figures = {}
    for item in items:
        if item["pictures"]:
            found = item["pictures"][number]
            file, classes = found.get("file"), _classes(found.get("classes", []))
            figure = figures.setdefault(file or classes, {"names": [], "file": file, "classes": classes})
            figure["names"].append(item.get("variant", "source"))
    return list(figures.values())


def _classes(found):
    """Return label and score, with two digits, of the best class and of others that are not next to nothing."""
    rounded = [(entry["label"], round(entry["score"] or 0, 2)) for entry in found]
    return tuple(pair for place, pair in enumerate(rounded) if place == 0 or pair[1] > 0)


def _words(form, source, item):
    """Return how far what an artifact found is from what the source did, in words."""
    if "refused" in item:
        return f"LiteRT does not run it: {item['refused']}"
    pictures, apart = item["pictures"], [found["apart"] for found in item["pictures"]]
    if form == "boxes":
        theirs, own = (sum(len(found["boxes"]) for found in one["pictures"]) for one in (source, item))
        same = sum(found["same"] for found in apart)
        return f"{same} of the source's {theirs} boxes, {own} in all"
    if form == "classes":
        return f"the source's class in {sum(found['same'] for found in apart)} of {len(pictures)}"
    if None in (found[key] for found in apart for key in found):
        return "not all of it is a number"
    largest, mean = max(found["largest"] for found in apart), sum(found["mean"] for found in apart) / len(apart)
    if form == "points":
        return f"points at most {largest:.2%} of the edge from the source's, {mean:.2%} in the mean"
    return f"at most {largest:.3g} of 255 from the source's, {mean:.2g} in the mean"
