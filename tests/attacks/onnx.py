"""ONNX files: weights from elsewhere, loops without an end, functions that call themselves."""

from attacks.attack import attack


def model(path, nodes, initializers=(), functions=(), domains=(), output=(1, 8)):
    """Write a model from ``x`` ``[1, 8]`` to ``y``."""
    import onnx
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(*end) for end in (("x", 1, [1, 8]), ("y", TensorProto.FLOAT, output))]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], list(initializers))
    opsets = [helper.make_opsetid("", 13), *(helper.make_opsetid(domain, 1) for domain in domains)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=8, functions=list(functions))
    path.write_bytes(made.SerializeToString())
    return onnx


def node(operator, inputs, outputs=("y",), **attributes):
    from onnx import helper

    return helper.make_node(operator, inputs, outputs, **attributes)


def external(**places):
    """Return a tensor ``[1, 8]`` that is kept in another file."""
    from onnx import TensorProto

    tensor = TensorProto(name="w", data_type=1, dims=[1, 8], data_location=TensorProto.EXTERNAL)
    for key, value in places.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


ADD = ("Add", ["x", "w"])


@attack("onnx", path="m.onnx")
def weights_are_in_a_folder_above(place):
    model(place.source / "m.onnx", [node(*ADD)], [external(location=f"../outside/{place.secret.name}")])


@attack("onnx", path="m.onnx")
def weights_are_at_an_absolute_path(place):
    model(place.source / "m.onnx", [node(*ADD)], [external(location=place.secret)])


@attack("onnx", path="m.onnx")
def weights_are_behind_a_link(place):
    (place.source / "w.bin").symlink_to(place.secret)
    model(place.source / "m.onnx", [node(*ADD)], [external(location="w.bin")])


@attack("onnx", path="m.onnx")
def constant_of_a_node_is_outside(place):
    constant = node("Constant", [], ["w"], value=external(location=f"../outside/{place.secret.name}"))
    model(place.source / "m.onnx", [constant, node(*ADD)])


@attack("onnx", path="m.onnx")
def constant_in_a_branch_is_outside(place):
    from onnx import helper

    constant = node("Constant", [], ["w"], value=external(location=f"../outside/{place.secret.name}"))
    sum_ = node("Add", ["x", "w"], ["b"])
    branch = helper.make_graph([constant, sum_], "b", [], [helper.make_tensor_value_info("b", 1, [1, 8])])
    condition = node("Constant", [], ["c"], value=helper.make_tensor("c", 9, [], [True]))
    model(place.source / "m.onnx", [condition, node("If", ["c"], then_branch=branch, else_branch=branch)])


@attack("onnx", path="m.onnx")
def weights_of_length_1e18(place):
    (place.source / "w.bin").write_bytes(bytes(32))
    model(place.source / "m.onnx", [node(*ADD)], [external(location="w.bin", offset=0, length=10**18)])


@attack("onnx", path="m.onnx")
def weights_at_a_negative_offset(place):
    (place.source / "w.bin").write_bytes(bytes(32))
    model(place.source / "m.onnx", [node(*ADD)], [external(location="w.bin", offset=-(10**18), length=32)])


@attack("onnx", path="m.onnx")
def loops_without_an_end(place):
    from onnx import helper

    ends = [helper.make_tensor_value_info(*end) for end in (("i", 7, []), ("c", 9, []), ("a", 1, [1, 8]))]
    results = [helper.make_tensor_value_info(*end) for end in (("d", 9, []), ("b", 1, [1, 8]))]
    steps = [node("Identity", ["c"], ["d"]), node("Add", ["a", "a"], ["b"])]
    body = helper.make_graph(steps, "body", ends, results)
    true = node("Constant", [], ["t"], value=helper.make_tensor("t", 9, [], [True]))
    model(place.source / "m.onnx", [true, node("Loop", ["", "t", "x"], body=body)])


@attack("onnx", path="m.onnx")
def operator_of_another_domain(place):
    model(place.source / "m.onnx", [node("ReadFile", ["x"], domain="com.example")], domains=["com.example"])


@attack("onnx", path="m.onnx")
def function_that_calls_itself(place):
    from onnx import helper

    call = node("F", ["x"], ["y"], domain="own")
    function = helper.make_function("own", "F", ["x"], ["y"], [call], [helper.make_opsetid("own", 1)])
    model(place.source / "m.onnx", [call], functions=[function], domains=["own"])


@attack("onnx", path="m.onnx")
def functions_that_double_60_times(place):
    from onnx import helper

    functions = []
    for level in range(60):
        below = f"F{level - 1}" if level else "Identity"
        domain = "own" if level else ""
        calls = [node(below, ["x"], ["h"], domain=domain), node(below, ["h"], ["y"], domain=domain)]
        opsets = [helper.make_opsetid("own", 1), helper.make_opsetid("", 13)]
        functions.append(helper.make_function("own", f"F{level}", ["x"], ["y"], calls, opsets))
    model(place.source / "m.onnx", [node("F59", ["x"], domain="own")], functions=functions, domains=["own"])


@attack("onnx", path="m.onnx")
def tensor_of_1e13_numbers(place):
    import numpy as np
    from onnx import numpy_helper

    shape = numpy_helper.from_array(np.array([3_000_000, 3_000_000]), "s")
    steps = [node("ConstantOfShape", ["s"], ["big"]), node("ReduceSum", ["big"], ["sum"]), node("Add", ["x", "sum"])]
    model(place.source / "m.onnx", steps, [shape])


@attack("onnx", path="m.onnx")
def is_a_chain_of_60000_nodes(place):
    names = ["x", *(f"n{number}" for number in range(59999)), "y"]
    steps = [node("Identity", [a], [b]) for a, b in zip(names, names[1:], strict=False)]
    model(place.source / "m.onnx", steps)


@attack("onnx", path="m.onnx")
def is_a_ring_of_nodes(place):
    ring = [node("Add", ["x", "b"], ["a"]), node("Identity", ["a"], ["b"])]
    model(place.source / "m.onnx", [*ring, node("Identity", ["b"])])


@attack("onnx", path="m.onnx")
def branches_nested_30_deep(place):
    from onnx import helper

    end = [helper.make_tensor_value_info("b", 1, [1, 8])]
    condition = node("Constant", [], ["c"], value=helper.make_tensor("c", 9, [], [True]))
    leaf = helper.make_graph([node("Identity", ["x"], ["b"])], "b", [], end)
    inner = leaf
    for _ in range(30):
        step = node("If", ["c"], ["b"], then_branch=inner, else_branch=leaf)
        inner = helper.make_graph([step], "b", [], end)
    model(place.source / "m.onnx", [condition, *inner.node, node("Identity", ["b"])])
