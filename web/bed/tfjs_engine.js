// TensorFlow.js as the engine (own_model.js) of a model whose files were dropped.

const tf = globalThis.tf;
const ACTIVATIONS = { Softmax: "softmax", Sigmoid: "sigmoid", Tanh: "tanh" }; // a layer's are called so already
const SAME = ["Identity", "Reshape", "Squeeze"];

// Open a model; `document` is the content of its model.json, `shards` are ArrayBuffers in the order of its manifest.
export async function openEngine({ document, shards, told }, backend) {
  await runner.useBackend(tf, backend);
  const start = performance.now();
  const network = new runner.TfjsModel(tf, document, shards, []);
  try {
    await network.load();
  } catch (error) {
    throw refused(error, told);
  }
  network.outputs = network.layers ? network.layers.outputNames : network.model.outputs.map(({ name }) => name);
  return new Engine(network, told, backend, performance.now() - start);
}

class Engine {
  constructor(network, told, backend, load) {
    Object.assign(this, { network, told, backend, load });
    const { inputs } = network.layers ?? network.model;
    // A layers model has null for what is open, a graph -1.
    const { modelTopology } = network.description;
    this.outputs = network.outputs.map((name) => ({ name, activation: activation(modelTopology, name) }));
    this.inputs = inputs.map(({ name, shape, dtype }) => ({
      name,
      dtype,
      shape: (shape ?? []).map((size) => size ?? -1),
    }));
  }

  async run(values, shape) {
    await runner.useBackend(tf, this.backend); // the page's other model may run on another
    const [{ name, dtype }] = this.inputs;
    const given = tf.tensor(values, shape, dtype);
    let found = [];
    try {
      found = [await this.network.execute({ [name]: given })].flat();
      const arrays = await Promise.all(found.map((tensor) => tensor.data()));
      return found.map(({ shape: own }, index) => ({ ...this.outputs[index], shape: own, values: arrays[index] }));
    } catch (error) {
      throw refused(error, this.told);
    } finally {
      // An output may be a weight itself.
      for (const tensor of new Set([given, ...found])) if (!this.network.kept.has(tensor.id)) tensor.dispose();
    }
  }

  memory() {
    const { numTensors, numBytes } = tf.memory();
    return { library: "TensorFlow.js", tensors: numTensors, bytes: numBytes };
  }

  dispose() {
    this.network.dispose();
  }
}

// What an output comes out of: "softmax", "sigmoid", "tanh" or null.
function activation({ node: nodes, model_config: layers }, name) {
  if (!nodes) {
    const found = layers?.config?.layers?.at?.(-1)?.config?.activation;
    return Object.values(ACTIVATIONS).includes(found) ? found : null;
  }
  const named = new Map(nodes.map((node) => [node.name, node]));
  let node = named.get(name.split(":")[0]);
  while (node && SAME.includes(node.op)) node = named.get(node.input[0]?.split(":")[0]);
  return ACTIVATIONS[node?.op] ?? null;
}

// The library's complaint in one line of ours, where it is about what it does not know.
function refused(error, { code }) {
  const [, kind, name] = /Unknown (op|layer)[ :]+'?([\w.]+)/.exec(error.message) ?? [];
  if (!name) return new Error(`TensorFlow.js cannot run it: ${error.message.split("\n")[0]}`);
  const beside = code.length ? `; ${code.join(", ")} beside it is not run, since a dropped model runs no code` : "";
  return new Error(`TensorFlow.js does not know the ${kind === "op" ? "operator" : "layer"} ${name}${beside}`);
}
