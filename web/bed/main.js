// The page: what is chosen and shown, and one thing after another.

import { LeakWatch, showTimes } from "./figures.js";
import { LEAST, over } from "./found.js";
import * as inputs from "./inputs.js";
import { open as openOwn } from "./own.js";
import { choices } from "./registry.js";
import { download, report } from "./results.js";
import { Settings } from "./settings.js";
import { open } from "./side.js";
import { Strip } from "./strip.js";
import { figures } from "./views.js";

const AGAIN = 20;
const field = (name) => document.getElementById(name);

const settings = new Settings();
const strip = new Strip(field("pictures"), field("all"), (index) => then(() => choosePicture(index)));
const leaks = new LeakWatch();
const seen = new Map(); // what the open models found, by the name of the picture
let sides = []; // the open models
let input = null; // see inputs.js
let frame = null; // canvas with what was run last
let rate = 0; // pictures a second of what moves

// Do something after all that was asked for before it; what goes wrong is said in one line.
let work = Promise.resolve();
function then(action) {
  work = work.then(action).catch((error) => say("error", String(error.message ?? error).split("\n")[0]));
  return work;
}

function say(where, text) {
  Object.assign(field(where), { textContent: text, hidden: !text });
}

// Models.

async function chooseModel() {
  field("threshold").value = Math.max(LEAST, settings.model.minScore);
  if (!strip.own) strip.offer(settings.model.samples, false);
  strip.mark(input?.source);
  await load();
}

async function load() {
  for (const message of ["error", "leak"]) say(message, "");
  for (const side of sides.splice(0)) side.runner.dispose();
  seen.clear();
  try {
    for (const { variant, backend } of settings.chosen) {
      say("status", `Loading ${variant.name} for ${backend} …`);
      sides.push(await open(variant, backend));
    }
  } finally {
    say("status", "");
    leaks.start();
    show();
  }
  const away = !strip.own && !input?.moving && !strip.sources.includes(input?.source);
  if (away && strip.sources.length) await choosePicture(0);
  else await run();
}

// Run all open models on what the input shows now.
async function run() {
  if (!sides.length || !input) return;
  const now = inputs.frame(input);
  for (const side of sides) await side.run(now, { least: LEAST });
  frame = now;
  seen.set(
    input.name,
    sides.map(({ found }) => found)
  );
  const left = leaks.count(sides);
  if (left) say("leak", `A leak: the last runs have left ${left} tensors behind, and each leaves more.`);
  show();
}

const threshold = () => Number(field("threshold").value);

function show() {
  const detected = sides.filter(({ found }) => found?.kind === "detections").map(({ found }) => found.boxes);
  field("least").hidden = !detected.length;
  field("threshold-value").textContent = threshold().toFixed(2);
  const counts = detected.map((boxes) => `${over(boxes, threshold()).length} of ${boxes.length} boxes`);
  field("count").textContent = counts.join(" and ");
  if (frame) field("views").replaceChildren(...figures(frame, input?.name ?? "", sides, threshold()));
  showTimes(field("sides"), field("figures"), sides, rate);
}

// Inputs.

function take(another) {
  input?.stop();
  [input, rate] = [another, 0];
  field("pause").hidden = !another?.moving;
  field("pause").setAttribute("aria-pressed", "false");
  field("camera").setAttribute("aria-pressed", String(Boolean(another?.camera)));
  strip.mark(another?.source);
}

async function choosePicture(index) {
  say("error", "");
  take(await inputs.picture(strip.sources[index]));
  await run();
}

// Pictures, one film, or what own.js makes a model of.
async function chooseFiles(files) {
  if (!files.length) return;
  say("error", "");
  const [film] = files.filter(({ type }) => type.startsWith("video/"));
  const pictures = files.filter(({ type }) => type.startsWith("image/"));
  if (film) {
    watch(await inputs.film(film));
  } else if (pictures.length) {
    strip.offer(pictures, true);
    await choosePicture(0);
  } else {
    settings.offer([...settings.models, await openOwn(files)], settings.models.length);
    await chooseModel();
  }
}

// Run on one frame after another, as fast as the models can, until something else is shown.
function watch(moving) {
  take(moving);
  let before = performance.now();
  const next = () =>
    then(async () => {
      if (input !== moving) return;
      try {
        if (moving.view.paused) return;
        await run();
        const own = 1000 / (performance.now() - before);
        rate = rate ? 0.9 * rate + 0.1 * own : own;
      } finally {
        before = performance.now();
        requestAnimationFrame(next);
      }
    });
  next();
}

async function togglePause() {
  const { view } = input;
  if (view.paused) await view.play();
  else view.pause();
  field("pause").setAttribute("aria-pressed", String(view.paused));
}

async function toggleCamera() {
  say("error", "");
  if (input?.camera) take(null);
  else watch(await inputs.camera());
}

const results = () => report(sides, threshold(), [...seen]);

// Wiring.

settings.listen(() => then(chooseModel), () => then(load));
field("threshold").oninput = show;
for (const [button, files] of Object.entries({ choose: "files", "choose-folder": "folder" })) {
  field(button).onclick = () => field(files).click();
  field(files).onchange = ({ target }) => {
    const chosen = [...target.files];
    target.value = ""; // so that the same files can be chosen again
    then(() => chooseFiles(chosen));
  };
}
field("camera").onclick = () => then(toggleCamera);
field("pause").onclick = () => then(togglePause);
field("again").onclick = () => Array.from({ length: AGAIN }, () => then(run));
field("download").onclick = () => download(results(), "zoomill.json");
field("copy").onclick = () => then(() => navigator.clipboard.writeText(results()));
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  const files = inputs.dropped(event.dataTransfer); // is empty once the event is over
  then(async () => chooseFiles(await files));
});

field("threads").textContent = crossOriginIsolated
  ? "WebAssembly may use threads on this page."
  : "WebAssembly has one thread: the server of this page does not isolate it (COOP and COEP).";
then(async () => {
  const { choices: models, leftOut } = await choices();
  if (!models.length) throw new Error("results/models.json has no model into which a picture goes");
  say("left-out", leftOut ? `Models that take no picture are not offered: ${leftOut}.` : "");
  settings.offer(models);
  await chooseModel();
});
