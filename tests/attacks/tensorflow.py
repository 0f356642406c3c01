"""TensorFlow graphs and SavedModels: operators that touch files, loops without an end, graphs that break a reader."""

from attacks.attack import attack

ENDS = {"path": "graph.pb", "input_tensors": {"x": "x"}, "output_tensors": {"y": "y"}}


def frozen(path, build):
    """Write a graph of an input ``x`` ``[1, 32]`` and an output ``y``, what ``build(tf, x)`` returns."""
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [1, 32], "x")
        tf.identity(build(tf, x), "y")
    path.write_bytes(graph.as_graph_def().SerializeToString())


def told(tf, x, text):
    """Return the input plus the first 32 bytes of a text."""
    return x * 0 + tf.reshape(tf.cast(tf.io.decode_raw(tf.strings.substr(text, 0, 32), tf.uint8), tf.float32), [1, 32])


def after(tf, x, *operations):
    """Return the input after some operations have run."""
    with tf.control_dependencies(operations):
        return x * 2


@attack("frozen_graph", **ENDS, allow=["ReadFile"])
def reads_a_file(place):
    frozen(place.source / "graph.pb", lambda tf, x: told(tf, x, tf.io.read_file(str(place.secret))))


@attack("frozen_graph", **ENDS, allow=["WriteFile"])
def writes_a_file(place):
    frozen(place.source / "graph.pb", lambda tf, x: after(tf, x, tf.io.write_file(str(place.marker), "x")))


@attack("frozen_graph", **ENDS, allow=["WriteFile"])
def writes_a_file_inside_a_loop(place):
    def build(tf, x):
        def body(i, value):
            tf.io.write_file(str(place.marker), "x")
            return i + 1, value * 2

        return tf.while_loop(lambda i, _: i < 1, tf.function(body), (0, x))[1]

    frozen(place.source / "graph.pb", build)


@attack("frozen_graph", **ENDS, allow=["MatchingFiles"])
def lists_a_folder(place):
    def build(tf, x):
        found = tf.io.matching_files(str(place.outside / ("?" * 32)))
        return told(tf, x, tf.strings.split(found[0], "/")[-1])

    frozen(place.source / "graph.pb", build)


@attack("frozen_graph", **ENDS, allow=["PrintV2"])
def prints_into_a_file(place):
    frozen(
        place.source / "graph.pb",
        lambda tf, x: after(tf, x, tf.raw_ops.PrintV2(input="x", output_stream=f"file://{place.marker}")),
    )


@attack("frozen_graph", **ENDS, allow=["PyFunc"])
def calls_python(place):
    frozen(
        place.source / "graph.pb",
        lambda tf, x: tf.raw_ops.PyFunc(input=[x], token="pyfunc_0", Tout=[tf.float32])[0],
    )


@attack("frozen_graph", **ENDS, allow=["HashTableV2", "InitializeTableFromTextFileV2", "LookupTableFindV2"])
def fills_a_table_from_a_file(place):
    def build(tf, x):
        lookup = tf.lookup
        lines = lookup.TextFileInitializer(
            str(place.secret), tf.int64, lookup.TextFileIndex.LINE_NUMBER, tf.string, lookup.TextFileIndex.WHOLE_LINE
        )
        table = tf.compat.v1.lookup.StaticHashTable(lines, "")
        with tf.control_dependencies([table._init_op if hasattr(table, "_init_op") else table.initializer]):
            found = table.lookup(tf.constant(0, tf.int64))
        return told(tf, x, found)

    frozen(place.source / "graph.pb", build)


@attack("frozen_graph", **ENDS, allow=["SaveV2"])
def saves_a_checkpoint(place):
    def build(tf, x):
        save = tf.raw_ops.SaveV2(prefix=str(place.marker), tensor_names=["x"], shape_and_slices=[""], tensors=[x])
        return after(tf, x, save)

    frozen(place.source / "graph.pb", build)


@attack("frozen_graph", **ENDS, allow=["TextLineDataset", "DatasetToSingleElement", "TakeDataset"])
def reads_a_file_as_a_data_set(place):
    def build(tf, x):
        lines = tf.raw_ops.TextLineDataset(filenames=[str(place.secret)], compression_type="", buffer_size=1000)
        element = tf.raw_ops.DatasetToSingleElement(dataset=lines, output_types=[tf.string], output_shapes=[[]])
        return told(tf, x, element[0])

    frozen(place.source / "graph.pb", build)


@attack("frozen_graph", **ENDS, allow=["WholeFileReaderV2", "FIFOQueueV2", "ReaderReadV2", "QueueEnqueueManyV2"])
def reads_a_file_by_a_reader(place):
    def build(tf, x):
        queue = tf.queue.FIFOQueue(1, tf.string, shapes=[[]])
        with tf.control_dependencies([queue.enqueue_many([[str(place.secret)]])]):
            _, value = tf.compat.v1.WholeFileReader().read(queue)
        return told(tf, x, value)

    frozen(place.source / "graph.pb", build)


@attack("frozen_graph", **ENDS, allow=["DebugIdentityV3"])
def dumps_for_a_debugger(place):
    def build(tf, x):
        urls = [f"file://{place.marker}"]
        return tf.raw_ops.DebugIdentityV3(input=x, tensor_name="x:0", debug_urls=urls) * 2

    frozen(place.source / "graph.pb", build)


@attack("frozen_graph", **ENDS, allow=["CreateSummaryFileWriter", "SummaryWriter"])
def writes_a_summary(place):
    def build(tf, x):
        writer = tf.raw_ops.SummaryWriter(shared_name="w", container="")
        create = tf.raw_ops.CreateSummaryFileWriter(
            writer=writer, logdir=str(place.outside / "marker"), max_queue=1, flush_millis=1, filename_suffix="s"
        )
        return after(tf, x, create)

    frozen(place.source / "graph.pb", build)


@attack("frozen_graph", **ENDS)
def loops_without_an_end(place):
    def build(tf, x):
        return tf.while_loop(lambda _: True, lambda value: value + 1, [x])[0]

    frozen(place.source / "graph.pb", build)


def edited(path, edit, build=lambda tf, x: x * 2):
    """Write a graph that ``edit(tf, definition)`` has changed."""
    import tensorflow as tf

    frozen(path, build)
    definition = tf.compat.v1.GraphDef.FromString(path.read_bytes())
    edit(tf, definition)
    path.write_bytes(definition.SerializeToString())


def append(tf, definition, name, op, *inputs):
    node = definition.node.add(name=name, op=op, input=inputs)
    node.attr["T"].type = tf.float32.as_datatype_enum
    return node


@attack("frozen_graph", **{**ENDS, "output_tensors": {"y": "n59999"}})
def is_a_chain_of_60000_nodes(place):
    def edit(tf, definition):
        for number in range(60000):
            append(tf, definition, f"n{number}", "Identity", f"n{number - 1}" if number else "x")

    edited(place.source / "graph.pb", edit)


@attack("frozen_graph", **{**ENDS, "output_tensors": {"y": "a"}})
def is_a_ring_of_nodes(place):
    def edit(tf, definition):
        append(tf, definition, "a", "AddV2", "b", "x")
        append(tf, definition, "b", "Identity", "a")

    edited(place.source / "graph.pb", edit)


@attack("frozen_graph", **{**ENDS, "output_tensors": {"y": "a"}})
def has_a_function_that_calls_itself(place):
    def edit(tf, definition):
        function = definition.library.function.add()
        function.signature.name = "f"
        function.signature.input_arg.add(name="x", type=tf.float32.as_datatype_enum)
        function.signature.output_arg.add(name="y", type=tf.float32.as_datatype_enum)
        function.ret["y"] = "c:output:0"
        for call in (function.node_def.add(name="c", input=["x"]), definition.node.add(name="a", input=["x"])):
            call.op = "PartitionedCall"
            for key in ("Tin", "Tout"):
                call.attr[key].list.type.append(tf.float32.as_datatype_enum)
            call.attr["f"].func.name = "f"

    edited(place.source / "graph.pb", edit)


@attack("frozen_graph", **ENDS)
def has_a_constant_of_1e13_numbers(place):
    def edit(tf, definition):
        for node in definition.node:
            if node.op == "Const":
                for _ in range(2):
                    node.attr["value"].tensor.tensor_shape.dim.add(size=3_000_000)

    edited(place.source / "graph.pb", edit)


@attack("frozen_graph", **ENDS)
def asks_for_a_terabyte(place):
    frozen(
        place.source / "graph.pb",
        lambda tf, x: x + tf.reduce_sum(tf.random.uniform(tf.cast([5e5 + x[0, 0], 5e5 + x[0, 0]], tf.int32))),
    )


def saved(folder, body):
    """Write a SavedModel whose signature gives ``y``: what ``body(tf, x)`` returns."""
    import tensorflow as tf

    module = tf.Module()
    module.call = tf.function(lambda x: {"y": body(tf, x)}, input_signature=[tf.TensorSpec([1, 32], name="x")])
    tf.saved_model.save(module, str(folder), signatures=module.call)


@attack("saved_model", allow=["ReadFile"])
def signature_reads_a_file(place):
    saved(place.source, lambda tf, x: told(tf, x, tf.io.read_file(str(place.secret))))


@attack("saved_model", allow=["WriteFile"])
def signature_writes_a_file(place):
    def body(tf, x):
        tf.io.write_file(str(place.marker), "x")
        return x * 2

    saved(place.source, body)


def built(folder, initialise=None, outputs=lambda tf, x: x * 2, asset=None):
    """Write a SavedModel of TensorFlow 1, with an operation that initialises it and the path of an asset."""
    import tensorflow as tf

    v1 = tf.compat.v1
    folder.rmdir()
    builder = v1.saved_model.Builder(str(folder))
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [1, 32], "x")
        if asset:
            path = tf.constant(str(asset), name="asset")
            v1.add_to_collection(v1.GraphKeys.ASSET_FILEPATHS, path)
        y = outputs(tf, x)
        signature = v1.saved_model.predict_signature_def({"x": x}, {"y": y})
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            {"serving_default": signature},
            main_op=initialise and initialise(tf),
            assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS),
        )
    builder.save()


@attack("saved_model", allow=["WriteFile"])
def initialiser_writes_a_file(place):
    built(place.source, lambda tf: tf.io.write_file(str(place.marker), "x"))


def lead_assets_outside(place):
    """Change the paths of all assets of a SavedModel to that of the secret."""
    from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

    path = place.source / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    (graph,) = model.meta_graphs
    outside = f"../../outside/{place.secret.name}"
    for asset in graph.asset_file_def:
        asset.filename = outside
    for stored in graph.collection_def["saved_model_assets"].any_list.value:
        asset = meta_graph_pb2.AssetFileDef()
        stored.Unpack(asset)
        asset.filename = outside
        stored.Pack(asset)
    path.write_bytes(model.SerializeToString())


@attack("saved_model", allow=["ReadFile"])
def asset_is_outside(place):
    def outputs(tf, x):
        (path,) = tf.compat.v1.get_collection(tf.compat.v1.GraphKeys.ASSET_FILEPATHS)
        return told(tf, x, tf.io.read_file(path))

    built(place.source, outputs=outputs, asset=place.secret)
    lead_assets_outside(place)


@attack("saved_model", allow=["HashTableV2", "InitializeTableFromTextFileV2"])
def table_is_filled_from_outside(place):
    import tensorflow as tf

    lookup = tf.lookup
    lines = lookup.TextFileInitializer(
        str(place.secret), tf.int64, lookup.TextFileIndex.LINE_NUMBER, tf.string, lookup.TextFileIndex.WHOLE_LINE
    )
    module = tf.Module()
    module.table = lookup.StaticHashTable(lines, "")
    body = lambda x: {"y": told(tf, x, module.table.lookup(tf.constant(0, tf.int64)))}  # noqa: E731
    module.call = tf.function(body, input_signature=[tf.TensorSpec([1, 32], name="x")])
    tf.saved_model.save(module, str(place.source), signatures=module.call)
    lead_assets_outside(place)


@attack("tf1_checkpoint", graph="graph.meta", checkpoint="model", input_tensors={"x": "x"}, output_tensors={"y": "y"})
def checkpoint_whose_meta_graph_writes_a_file(place):
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        v1.disable_resource_variables()
        x = v1.placeholder(tf.float32, [1, 32], "x")
        variable = v1.get_variable("v", [32])
        tf.identity(after(tf, x * variable, tf.io.write_file(str(place.marker), "x")), "y")
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(place.source / "model"), write_meta_graph=False)
        v1.train.export_meta_graph(str(place.source / "graph.meta"))
