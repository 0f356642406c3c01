"""TFLite files: loops without an end, subgraphs that call themselves, indices and sizes out of range."""

from attacks.attack import attack


def write(path, model):
    """Write a model of the flatbuffers object API."""
    import flatbuffers

    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))


def dense():
    """Return a small network as an object."""
    from ai_edge_litert import schema_py_generated as schema
    from small_models import Builder

    builder = Builder()
    x, y = builder.tensor("x", [1, 8]), builder.tensor("y", [1, 8])
    settings = schema.AddOptionsT()
    builder.operator("ADD", [x, x], [y], settings)
    return builder, x, y


def changed(place, change):
    builder, _, _ = dense()
    model = builder.build([0], [1])
    change(model, model.subgraphs[0])
    write(place.source / "m.tflite", model)


@attack("tflite", path="m.tflite")
def tensor_index_out_of_range(place):
    changed(place, lambda model, graph: setattr(graph.operators[0], "inputs", [0, 1 << 30]))


@attack("tflite", path="m.tflite")
def operator_code_out_of_range(place):
    changed(place, lambda model, graph: setattr(graph.operators[0], "opcodeIndex", 999))


@attack("tflite", path="m.tflite")
def buffer_index_out_of_range(place):
    changed(place, lambda model, graph: setattr(graph.tensors[0], "buffer", 999))


@attack("tflite", path="m.tflite")
def tensor_of_1e18_numbers(place):
    changed(place, lambda model, graph: [setattr(one, "shape", [10**9, 10**9]) for one in graph.tensors])


@attack("tflite", path="m.tflite")
def buffer_beyond_the_file(place):
    def change(model, graph):
        model.buffers[0].offset, model.buffers[0].size = 1 << 40, 1 << 40

    changed(place, change)


def loop(place, body_calls_itself):
    """Write a WHILE whose condition is always true, or whose body is itself a WHILE with the same body."""
    import numpy as np
    from ai_edge_litert import schema_py_generated as schema
    from small_models import Builder

    builders = [Builder(), Builder(), Builder()]
    main, condition, body = builders
    settings = schema.WhileOptionsT()
    settings.condSubgraphIndex, settings.bodySubgraphIndex = 1, 2
    ends = [main.tensor("x", [1, 8]), main.tensor("y", [1, 8])]
    main.operator("WHILE", ends[:1], ends[1:], settings)
    model = main.build(ends[:1], ends[1:])
    graphs = []
    for graph in (condition, body):
        graph.model = model
        graph.graph.name = b"inner"
        graph.tensor("a", [1, 8])
        graphs.append(graph.graph)
    condition.tensor("t", np.array([True]))
    body.tensor("b", [1, 8])
    if body_calls_itself:
        body.operator("WHILE", [0], [1], settings)
    else:
        body.operator("ADD", [0, 0], [1], schema.AddOptionsT())
    for graph in graphs:
        graph.inputs, graph.outputs = [0], [1]
        graph.operators = graph.operators or []
    model.subgraphs += graphs
    write(place.source / "m.tflite", model)


@attack("tflite", path="m.tflite")
def loops_without_an_end(place):
    loop(place, False)


@attack("tflite", path="m.tflite")
def subgraph_that_calls_itself(place):
    loop(place, True)


@attack("tflite", path="m.tflite")
def is_a_chain_of_100000_operators(place):
    from ai_edge_litert import schema_py_generated as schema

    builder, x, y = dense()
    for number in range(100_000):
        previous, y = y, builder.tensor(f"t{number}", [1, 8])
        operator = schema.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = 0, [previous, previous], [y]
        operator.builtinOptions, operator.builtinOptionsType = schema.AddOptionsT(), schema.BuiltinOptions.AddOptions
        builder.graph.operators.append(operator)
    write(place.source / "m.tflite", builder.build([x], [y]))
