// What of dropped files is a model, and what else they tell of it.
//
// Files have paths (`webkitRelativePath`) where a folder was dropped or picked. Nothing of them is ever run.

import * as tflite from "./tflite_file.js";

const BYTES = { float32: 4, int32: 4, complex64: 8, float16: 2, uint16: 2, uint8: 1, bool: 1 };
const CALLED = 3; // at most so many names in a message

const path = (file) => file.webkitRelativePath || file.name;
const folder = (file) => path(file).slice(0, -file.name.length);

const isModel = ({ name }) => name === "model.json" || name.endsWith(".tflite");

// Tell whether there is a model among files.
export function holdModel(files) {
  return files.some(isModel);
}

// The model that files are: {name, kind, files, told}, and of TensorFlow.js `document` and `shards` (ArrayBuffers in the
// order of its manifest), of TensorFlow Lite `bytes` (an ArrayBuffer) and `file`, what describe() says of it.
//
// `told` is {labels, contract, code}: labels and contract.json that lie beside it or in it, or null, and names of files
// with code. Throws an Error of one line for what is no model, or not a whole one.
export async function read(files) {
  const models = files.filter(isModel);
  const [main, other] = models;
  if (!main) {
    throw new Error(`${path(files[0])}: is no picture, no film, no .tflite file and no folder with a model.json`);
  }
  if (other) throw new Error(`${path(main)} and ${path(other)}: are ${models.length} models; drop one of them`);
  const beside = files.filter((file) => path(file).startsWith(folder(main)));
  try {
    return main.name.endsWith(".tflite") ? await readLite(main, beside) : await readJs(main, beside);
  } catch (error) {
    throw new Error(`${path(main)}: ${error.message}`);
  }
}

async function readLite(main, beside) {
  const bytes = await main.arrayBuffer();
  const file = tflite.describe(bytes);
  if (file.custom.length) {
    throw new Error(`has the operator ${file.custom[0]}, which LiteRT.js has not; a file without it may run`);
  }
  const told = await whatIsTold(beside);
  told.labels ??= await tflite.labels(bytes).catch(() => null);
  return { name: main.name, kind: "tflite", bytes, file, told, parts: [bytes] };
}

async function readJs(main, beside) {
  const bytes = await main.arrayBuffer();
  const document = parsed(new TextDecoder().decode(bytes));
  const called = new Map(beside.map((file) => [path(file).slice(folder(main).length), file]));
  const paths = document.weightsManifest.flatMap((group) => group.paths);
  const missing = paths.filter((name) => !called.has(name));
  if (missing.length) throw new Error(`${some(missing)} of its weights ${missing.length > 1 ? "are" : "is"} missing`);
  for (const group of document.weightsManifest) checkSizes(group, called);
  const shards = await Promise.all(paths.map((name) => called.get(name).arrayBuffer()));
  const name = folder(main).split("/").at(-2) || main.name;
  return { name, kind: "tfjs", document, shards, told: await whatIsTold(beside), parts: [bytes, ...shards] };
}

function parsed(text) {
  let document;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new Error(`is no JSON: ${error.message}`);
  }
  const groups = document?.weightsManifest;
  if (!document?.modelTopology) throw new Error("is no model of TensorFlow.js: it has no modelTopology");
  const whole =
    Array.isArray(groups) && groups.every(({ paths, weights }) => Array.isArray(paths) && Array.isArray(weights));
  if (!whole) throw new Error("is no model of TensorFlow.js: it has no weightsManifest of paths and weights");
  return document;
}

// All bytes of a group of weights are in its shards; which one is wrong, only its neighbours could tell.
function checkSizes({ paths, weights }, called) {
  const sizes = weights.map(
    ({ shape, dtype, quantization }) => shape.reduce((a, b) => a * b, 1) * BYTES[quantization?.dtype ?? dtype]
  );
  const expected = sizes.reduce((a, b) => a + b, 0);
  const found = paths.reduce((sum, name) => sum + called.get(name).size, 0);
  if (Number.isNaN(expected) || expected === found) return; // weights of text say no size
  const [whole, had] = [expected, found].map((bytes) => bytes.toLocaleString("en"));
  throw new Error(`${some(paths)} should have ${whole} bytes and ${paths.length > 1 ? "have" : "has"} ${had}`);
}

const some = (names) =>
  names.slice(0, CALLED).join(", ") + (names.length > CALLED ? ` and ${names.length - CALLED} more` : "");

async function whatIsTold(beside) {
  const file = (test) => beside.find(({ name }) => test.test(name));
  const json = async (test) => JSON.parse(await (file(test)?.text() ?? "null"));
  const text = file(/(label|class|name).*\.txt$/i);
  let [contract, classes, decoder] = [null, null, null];
  try {
    [contract, classes, decoder] = await Promise.all(
      [/^contract\.json$/, /^classes\.json$/, /^decode\.json$/].map(json)
    );
  } catch {
    // A file of another's that is called so tells nothing.
  }
  const names = contract?.labels ?? decoder?.labels ?? (text ? tflite.lines(await text.text()) : fromClasses(classes));
  const labels = Array.isArray(names) && names.length ? names.map(String) : null;
  const whole = Array.isArray(contract?.inputs) && Array.isArray(contract?.outputs);
  return {
    labels,
    contract: whole ? contract : null,
    code: beside.map(({ name }) => name).filter((name) => /\.m?js$/.test(name)),
  };
}

// Labels in the form that pigallery reads: [[number, name], …], or {number: {displayName}} from 0 on.
function fromClasses(classes) {
  if (Array.isArray(classes)) return classes.map((entry) => entry?.[1]);
  if (!classes || !(0 in classes)) return null;
  return Object.values(classes).map((entry) => entry?.displayName);
}

// The model's SHA-256, by which the page remembers what it was told.
export async function digest(parts) {
  const whole = await new Blob(parts).arrayBuffer();
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
