// The page: what is chosen, what is shown to the models, and one thing after another.

import { LeakWatch, showTimes } from "./figures.js";
import * as inputs from "./inputs.js";
import { holdModel, open as openOwn } from "./own.js";
import { choices } from "./registry.js";
import { download, report, result } from "./results.js";
import { open } from "./side.js";
import { figures } from "./views.js";

const LEAST = 0.05; // lower scores are noise, and thousands
const AGAIN = 20;
const field = (name) => document.getElementById(name);

const state = { models: [], sides: [], input: null, frame: null, strip: [], ownPictures: false, paused: false, rate: 0 };
const leaks = new LeakWatch();
const seen = new Map(); // results by the name of the picture, of the models that are open

// Do something after all that was asked for before it; what goes wrong is said in one line.
let work = Promise.resolve();
function then(action) {
  work = work.then(action).catch((error) => say("error", String(error.message ?? error).split("\n")[0]));
  return work;
}

function say(where, text) {
  Object.assign(field(where), { textContent: text, hidden: !text });
}

// What the fields choose.

const model = () => state.models[field("model").value];
const chosen = (side) => ({
  variant: model().variants.find(({ name }) => name === field(`variant-${side}`).value),
  backend: field(`backend-${side}`).value,
});

function offer(select, options, value) {
  select.replaceChildren(...options.map(([text, key]) => new Option(text, key)));
  if (options.some(([, key]) => key === value)) select.value = value;
}

function listModels() {
  const groups = Map.groupBy(state.models.keys(), (index) => state.models[index].group);
  const kept = field("model").value;
  field("model").replaceChildren(
    ...[...groups].map(([label, indices]) => {
      const group = Object.assign(document.createElement("optgroup"), { label });
      group.append(...indices.map((index) => new Option(state.models[index].name, index)));
      return group;
    })
  );
  if (kept) field("model").value = kept;
}

// Offer the variants and samples of another model; the second one is the last that is not the first.
function offerModel() {
  const { variants, samples, minScore, note, change } = model();
  const options = variants.map(({ name, bytes }) => [`${name}, ${(bytes / 1e6).toFixed(2)} MB`, name]);
  offer(field("variant-0"), options, field("variant-0").value);
  offer(field("variant-1"), options, variants.at(-1).name);
  for (const side of [0, 1]) offerBackends(side);
  field("threshold").value = Math.max(LEAST, minScore);
  if (!state.ownPictures && samples.length) offerPictures(samples); // one's own model is shown those of the one before
  field("own").hidden = !change;
  field("note").textContent = note ?? "";
}

function offerBackends(side) {
  const { backends } = chosen(side).variant;
  offer(field(`backend-${side}`), backends.map((name) => [name, name]), field(`backend-${side}`).value);
}

function offerPictures(sources) {
  state.strip = sources;
  const shown = sources.map((source, index) => {
    const image = Object.assign(document.createElement("img"), { loading: "lazy", alt: `picture ${index + 1}` });
    image.src = source instanceof Blob ? URL.createObjectURL(source) : source;
    const button = Object.assign(document.createElement("button"), { type: "button", ariaPressed: "false" });
    button.append(image);
    button.onclick = () => then(() => choosePicture(index));
    return button;
  });
  for (const image of field("pictures").querySelectorAll("img")) URL.revokeObjectURL(image.src);
  field("pictures").replaceChildren(...shown);
  field("all").hidden = shown.length < 2;
}

// Models.

async function load() {
  say("error", "");
  for (const side of state.sides.splice(0)) side.runner.dispose();
  seen.clear();
  state.rate = 0;
  const count = field("compare").checked ? 2 : 1;
  try {
    for (let side = 0; side < count; side += 1) {
      const { variant, backend } = chosen(side);
      say("status", `Loading ${variant.name} for ${backend} …`);
      state.sides.push(await open(variant, backend));
    }
  } finally {
    say("status", "");
    leaks.start();
    say("leak", "");
    show();
  }
  // The first sample of another model, or again what was shown.
  if (!state.ownPictures && !state.input?.moving && state.strip.length && !state.strip.includes(state.input?.source)) {
    return choosePicture(0);
  }
  await run();
}

// Run all models that are open on what is shown now.
async function run() {
  if (!state.sides.length || !state.input) return;
  state.frame = inputs.frame(state.input);
  for (const side of state.sides) await side.run(state.frame, { least: LEAST });
  if (!state.input.moving) seen.set(state.input.name, result(state.input.name, state.sides, threshold()));
  const left = leaks.count(state.sides);
  if (left) say("leak", `${left} tensors were left behind by the last runs, and more by each: a leak`);
  show();
}

const threshold = () => Number(field("threshold").value);

function show() {
  const [first] = state.sides;
  const detects = first?.found?.kind === "detections";
  field("least").hidden = !detects;
  if (detects) {
    const count = first.found.boxes.filter(({ score }) => score >= threshold()).length;
    field("threshold-value").textContent = threshold().toFixed(2);
    field("count").textContent = `${count} of ${first.found.boxes.length} shown; the model's own is ${model().minScore}`;
  }
  field("views").replaceChildren(
    ...(state.frame ? figures(state.frame, state.input?.name ?? "", state.sides, threshold()) : [])
  );
  showTimes(field("sides"), field("figures"), state.sides, state.rate);
}

// Inputs.

function take(input) {
  state.input?.stop();
  Object.assign(state, { input, paused: false, rate: 0 });
  const film = input.moving;
  field("pause").hidden = !film;
  field("pause").setAttribute("aria-pressed", "false");
  field("camera").setAttribute("aria-pressed", String(input.name === "camera" && film));
  for (const button of field("pictures").children) button.setAttribute("aria-pressed", "false");
}

async function choosePicture(index) {
  say("error", "");
  take(await inputs.picture(state.strip[index]));
  field("pictures").children[index].setAttribute("aria-pressed", "true");
  await run();
}

// Pictures, one film, or what own.js makes a model of.
async function chooseFiles(files) {
  say("error", "");
  if (holdModel(files)) return chooseOwn(files);
  const kind = (name) => files.filter(({ type }) => type.startsWith(`${name}/`));
  const [pictures, films] = [kind("image"), kind("video")];
  if (films.length) return watch(await inputs.film(films[0]));
  if (pictures.length) {
    state.ownPictures = true;
    offerPictures(pictures);
    return choosePicture(0);
  }
  if (files.length) return chooseOwn(files);
}

// A model of one's own.
async function chooseOwn(files) {
  say("status", "Opening it …");
  try {
    state.models.push(await openOwn(files));
  } finally {
    say("status", "");
  }
  listModels();
  field("model").value = state.models.length - 1;
  offerModel();
  await load();
}

// Run on one frame after another, as fast as the models can.
function watch(input) {
  take(input);
  let before = performance.now();
  const next = () => {
    if (state.input !== input) return;
    if (state.paused) return void setTimeout(next, 100);
    then(async () => {
      await run();
      const now = performance.now();
      const rate = 1000 / (now - before);
      state.rate = state.rate ? 0.9 * state.rate + 0.1 * rate : rate;
      before = now;
    }).then(() => requestAnimationFrame(next));
  };
  next();
}

async function toggleCamera() {
  if (field("camera").getAttribute("aria-pressed") === "true") {
    state.input.stop();
    state.input = null;
    field("camera").setAttribute("aria-pressed", "false");
    field("pause").hidden = true;
    return;
  }
  watch(await inputs.camera());
}

function results() {
  return JSON.stringify(report(state.sides, threshold(), [...seen.values()]), null, 1);
}

// Wiring.

field("model").onchange = () => then(() => (offerModel(), load()));
field("settings").onchange = ({ target }) => {
  const side = target.closest("fieldset")?.dataset.side;
  if (side === undefined) return;
  if (target === field("compare")) {
    for (const name of ["variant-1", "backend-1"]) field(name).disabled = !target.checked;
  }
  if (target.id === `variant-${side}`) offerBackends(side);
  then(load);
};
field("change").onclick = () => then(async () => (await model().change()) && load());
field("threshold").oninput = show;
for (const [button, files] of [["choose", "files"], ["choose-folder", "folder"]]) {
  field(button).onclick = () => field(files).click();
  field(files).onchange = ({ target }) => {
    const chosen = [...target.files];
    target.value = ""; // the same files can be chosen again
    if (chosen.length) then(() => chooseFiles(chosen));
  };
}
field("camera").onclick = () => then(toggleCamera);
field("pause").onclick = () => {
  state.paused = !state.paused;
  field("pause").setAttribute("aria-pressed", String(state.paused));
};
field("again").onclick = () => {
  for (let index = 0; index < AGAIN; index += 1) then(run);
};
field("all").onclick = () => state.strip.forEach((_, index) => then(() => choosePicture(index)));
field("download").onclick = () => download(results(), "zoomill.json");
field("copy").onclick = () => then(() => navigator.clipboard.writeText(results()));
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  const files = inputs.dropped(event.dataTransfer);
  then(async () => chooseFiles(await files));
});

then(async () => {
  const { choices: models, leftOut } = await choices();
  state.models = models;
  if (leftOut) field("model").title = `${leftOut} models, into which no picture goes, are left out`;
  listModels();
  if (!models.length) return say("status", "No model here takes a picture.");
  offerModel();
  await load();
});
