"""JSON Schemas of config.yaml and of cards: filled from the tables, and their errors in one line."""

import copy
import json
import os
import re

import jsonschema

from zoomill.errors import UserError
from zoomill.plan import accelerators, gates, variants
from zoomill.plan.names import nearest
from zoomill.yaml_file import load_yaml

# Of what a message quotes, so that it stays a line.
_MOST_QUOTED = 300


def load(folder):
    """Return ``{name: JSON Schema}`` of ``config``, ``card`` and ``dataset``, which share the ``$defs`` of ``card``.

    To these are added the lists that the tables keep: ``tflite``, ``openvino`` and ``tfjs`` are their variants,
    ``any_variant`` those of all, ``by_patterns`` the TensorFlow.js variants whose weights are chosen by patterns;
    ``gate`` are the deploy gates, ``accelerator`` what Vela compiles for;
    ``any_source`` is what a source of its kind may have, which the ``$defs`` ``source_<kind>`` say, and ``any_metric``
    likewise.
    """
    documents = {name: load_yaml(os.path.join(folder, f"{name}.schema.yaml")) for name in ("config", "card", "dataset")}
    definitions = documents["card"]["$defs"]
    lists = {form: variants.names(format=form) for form in variants.FORMATS}
    lists |= {"any_variant": variants.names(), "by_patterns": variants.names(maker="quantise_tfjs")}
    lists |= {"gate": [*gates.NAMES], "accelerator": [*accelerators.NAMES]}
    definitions |= {name: {"enum": found} for name, found in lists.items()}
    definitions |= {
        "any_source": _any(definitions, "source", "kind"),
        "any_metric": _any(definitions, "metric", "name"),
    }
    return {name: {**document, "$defs": definitions} for name, document in documents.items()}


def _any(definitions, prefix, key):
    """Return the schema of an object whose ``key`` says which of the ``$defs`` with a prefix it has to follow."""
    names = [name.removeprefix(f"{prefix}_") for name in definitions if name.startswith(f"{prefix}_")]
    cases = [
        {"if": {"properties": {key: {"const": name}}}, "then": {"$ref": f"#/$defs/{prefix}_{name}"}} for name in names
    ]
    return {"properties": {key: {"enum": names}}, "allOf": cases}


def check(document, schema, path):
    """Check a YAML document against a JSON Schema and fill in the defaults of its top level.

    Raises:
        UserError: one line for the first thing that is wrong, with the key and, for a misspelt key, the nearest.
    """
    validator = _Validator(schema)
    errors = sorted(validator.iter_errors(document), key=lambda error: list(map(str, error.absolute_path)))
    if errors:
        raise UserError(f"{path}: {_explain(errors[0])}")
    fill(document, schema["properties"])
    return document


def _unique(validator, wanted, items, schema):
    """Find what stands in a list twice, in linear time, which jsonschema's own does not."""
    if isinstance(items, list) and len({json.dumps(item, sort_keys=True, default=str) for item in items}) < len(items):
        yield jsonschema.ValidationError(f"{items!r} has non-unique elements")


_Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"uniqueItems": _unique})


def fill(document, properties):
    """Fill in the defaults of a mapping's own keys."""
    for key, rule in properties.items():
        if "default" in rule:
            document.setdefault(key, copy.deepcopy(rule["default"]))


def _explain(error):
    """Say in one line what a schema error means."""
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    where = f"{where.lstrip('.')}: " if where else ""
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        patterns = error.schema.get("patternProperties", {})
        unknown = next(k for k in error.instance if k not in known and not any(re.search(p, k) for p in patterns))
        return f"{where}unknown key {_quoted(unknown)}" + ("" if patterns else nearest(unknown, known))
    if "propertyNames" in error.absolute_schema_path and error.validator == "enum":
        return f"{where}unknown key {_quoted(error.instance)}{nearest(error.instance, error.validator_value)}"
    if error.validator == "oneOf":
        choices = "; ".join(
            choice.get("const") or choice.get("title") or " with ".join(choice["required"])
            for choice in error.validator_value
        )
        return f"{where}needs exactly one of these: {choices.replace('digest', 'digest: null')}"
    if error.validator == "type" and error.validator_value == "array":
        shown = "" if error.instance in (None, "None") else error.instance
        return f"{where}{_quoted(repr(error.instance))} is no list; write {_quoted(f'[{shown}]')}"
    if error.validator == "pattern" and "title" in error.schema:
        return f"{where}{_quoted(repr(error.instance))} is not {error.schema['title']}"
    return f"{where}{_quoted(error.message)}"


def _quoted(text):
    return text if len(text) <= _MOST_QUOTED else f"{text[:_MOST_QUOTED]}…"
