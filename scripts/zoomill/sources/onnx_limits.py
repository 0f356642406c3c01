"""What no graph can be made of: operators of ONNX that onnx2tf converts wrongly or not at all, as data."""

import pkgutil

from zoomill.errors import UserError
from zoomill.inspect import onnx as inspect_onnx

_BRANCHES = "its condition depends on the input; export one branch, or the model with a fixed condition"
_LOOP = "loops cannot be converted; export the model with a fixed number of steps, unrolled"
_SEQUENCE = "lists of tensors cannot be converted; end the model before it, or stack them into one tensor"
_TEXT = "text cannot be converted; end or begin the model where tensors hold numbers"
_RANDOM = "it draws random numbers; export the model for inference, or with these numbers as an input"
_SIZE = "the size of its output depends on the values of the input; end the model before it"
_TRAINING = "it belongs to training; export the model for inference"

# What is wrong with an operator, and what to do.
REFUSED = {
    "If": _BRANCHES,
    **dict.fromkeys(("Loop", "Scan"), _LOOP),
    **dict.fromkeys(
        (
            *("ConcatFromSequence", "Optional", "OptionalGetElement", "OptionalHasElement", "SequenceAt"),
            *("SequenceConstruct", "SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceLength"),
            *("SequenceMap", "SplitToSequence", "ZipMap"),
        ),
        _SEQUENCE,
    ),
    **dict.fromkeys(
        (
            *("CategoryMapper", "DictVectorizer", "LabelEncoder", "RegexFullMatch", "StringConcat"),
            *("StringNormalizer", "StringSplit", "TfIdfVectorizer", "ImageDecoder"),
        ),
        _TEXT,
    ),
    **dict.fromkeys(
        ("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"), _RANDOM
    ),
    **dict.fromkeys(("Compress", "NonZero", "Unique"), _SIZE),
    **dict.fromkeys(("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"), _TRAINING),
}


def refuse(model, steady, path):
    """Raise a UserError for the first node that cannot be converted.

    Args:
        model: ModelProto.
        steady: names of tensors that do not depend on what the inputs hold, of which constants are made.
        path: file name for messages.
    """
    from onnx2tf import ops

    known = {module.name for module in pkgutil.iter_modules(ops.__path__)}
    for node in model.graph.node:
        if steady.issuperset(node.output):
            continue
        title = f"{path}: {node.op_type} {node.name or node.output[0]}"
        if node.op_type in REFUSED and node.domain in inspect_onnx.OWN_DOMAINS:
            raise UserError(f"{title} cannot be converted: {REFUSED[node.op_type]}")
        if node.op_type not in known:
            raise UserError(f"{title} cannot be converted: onnx2tf does not know it; export it as simpler operators")
