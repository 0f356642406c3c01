// Models that are dropped on the page: a folder with model.json and its weights, or a .tflite file.
//
// Only the page's own code runs: what is dropped are numbers and names.

import * as answers from "./own_answers.js";
import { ask } from "./own_form.js";
import * as dropped from "./own_files.js";
import { OwnModel, values } from "./own_model.js";
import { LITERT_BACKENDS, openEngine as openLiteRt } from "./litert_model.js";
import { TFJS_BACKENDS } from "./registry.js";
import { openEngine as openTfjs } from "./tfjs_engine.js";

const LEAST = 0.3; // score of boxes that are shown at first
// The second one may have kernels that the first lacks.
const KINDS = {
  tfjs: { open: openTfjs, backends: TFJS_BACKENDS, tried: ["wasm", "cpu"] },
  tflite: { open: openLiteRt, backends: LITERT_BACKENDS, tried: LITERT_BACKENDS.slice(0, 1) },
};

export { holdModel } from "./own_files.js";

// Return the choice, see registry.js, that files make, with `note`, a line about it, and `change()`, which asks again.
export async function open(files) {
  const model = await dropped.read(files);
  try {
    return await choice(model);
  } catch (error) {
    throw new Error(`${model.name}: ${error.message}`);
  }
}

async function choice(model) {
  const digest = await dropped.digest(model.parts);
  const bytes = model.parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const { code } = model.told;
  const note = code.length ? `${code.join(", ")} in this folder is not run: a dropped model runs no code` : "";
  const { input, form, guessed, outputs } = await tried(model);
  const about = { name: model.name, form, outputs, note };
  let told =
    answers.remembered(digest) ?? (model.told.contract && answers.ofContract(model.told.contract, guessed, outputs));
  const change = async () => {
    const answered = await ask(about, told ?? guessed);
    if (answered) answers.remember(digest, (told = answered));
    return Boolean(answered);
  };
  if (!told && !(await change())) throw new Error("was not opened, since nothing was answered");
  const { open: engine, backends } = KINDS[model.kind];
  const variant = {
    name: "as dropped",
    bytes,
    backends,
    open: async (backend) => {
      const description = { model: model.name, variant: "as dropped", path: model.name, bytes, sha256: digest };
      const more = { size: [told.height, told.width], shows: { kind: told.task } };
      return new OwnModel({ ...description, ...more }, await engine(model, backend), { ...input, ...form }, told);
    },
  };
  return { name: model.name, group: "Your own", minScore: LEAST, samples: [], variants: [variant], note, change };
}

// What a model is by one run on a picture of one colour: {input, form, guessed, outputs}.
async function tried(model) {
  const { open: engine, tried: backends } = KINDS[model.kind];
  let fault;
  for (const backend of backends) {
    let opened;
    try {
      opened = await engine(model, backend);
      return await ends(model, opened);
    } catch (error) {
      fault = error;
    } finally {
      opened?.dispose();
    }
  }
  throw fault;
}

async function ends({ file, told }, engine) {
  const { inputs } = engine;
  if (inputs.length !== 1) throw new Error(`it has ${inputs.length} inputs, and the page gives one picture`);
  const form = answers.form(inputs[0]);
  const input = { quantisation: null, ...inputs[0] };
  const said = { colour: file?.colour, range: file?.range ?? whole(input) };
  const fed = answers.sized(form);
  const nothing = values(
    new Uint8ClampedArray(4 * fed.height * fed.width),
    { ...input, ...form },
    { ...fed, colour: "RGB", low: 0, high: 1 }
  );
  const found = await engine.run(nothing, answers.shape(form, fed));
  return { input, form, guessed: answers.guess(said, form, found, told), outputs: found.map(({ name }) => name) };
}

// The real numbers that the bytes of a picture are in an input of integers, null for one of floats.
function whole({ dtype, quantisation }) {
  const { scale, zero } = quantisation ?? { scale: 1, zero: 0 };
  return dtype === "float32" ? null : [0, 255].map((value) => (value - zero) * scale);
}
