// What can be chosen: the models of results/models.json, docs/web.md.

import { openTfjs } from "./tfjs_model.js";

const RESULTS = new URL("../../results/", import.meta.url).href;
export const TFJS_BACKENDS = ["wasm", "webgl", "webgpu", "cpu"];
// The first one is what the page starts with.
const GROUPS = { detect: "Detectors", classify: "Classifiers", various: "Others" };

// Choices, and how many models are left out because no picture goes into them. A choice is {name, group, minScore,
// samples, variants}, a variant {name, bytes, backends, open(backend)}; open gives a runner, see tfjs_model.js.
export async function choices() {
  const answer = await fetch(`${RESULTS}models.json`);
  if (!answer.ok) throw new Error("There is no results/models.json here: run zoomill with TensorFlow.js models first");
  const { newer } = await answer.json();
  const entries = Object.entries(GROUPS).flatMap(([section, group]) =>
    (newer[section] ?? []).map((entry) => ({ ...entry, group }))
  );
  const shown = entries.filter(({ colour, decoder }) => colour && decoder);
  return { choices: shown.map(choice), leftOut: entries.length - shown.length };
}

function choice(entry) {
  const size = entry.shape[3] <= 4 ? entry.shape.slice(1, 3) : entry.shape.slice(2, 4);
  const variants = Object.entries(entry.variants).map(([name, { modelPath, bytes, sha256, operators }]) => {
    const about = { model: entry.name, variant: name, path: modelPath, bytes, sha256, size, shows: entry.shows };
    const files = { folder: `${RESULTS}${modelPath}/`, decoder: RESULTS + entry.decoder };
    if (operators) files.operators = RESULTS + operators;
    return { name, bytes, backends: TFJS_BACKENDS, open: (backend) => openTfjs(about, files, backend) };
  });
  const samples = (entry.samples ?? []).map((path) => RESULTS + path);
  return { name: entry.name, group: entry.group, minScore: entry.minScore ?? 0, samples, variants };
}
