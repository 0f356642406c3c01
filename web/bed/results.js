// What was found, as JSON.

import { made } from "./draw.js";
import { memory } from "./figures.js";
import { BEST, over } from "./found.js";

// The models that are open, and what they found in pictures: pairs of a name and a list of what found.js gives.
// Detections count from the score `least` on.
export function report(sides, least, pictures) {
  const models = sides.map((side) => {
    const { shows, ...about } = side.runner.description;
    return { ...about, backend: side.runner.backend, times_ms: side.times() };
  });
  const results = pictures.map(([picture, found]) => ({ picture, found: found.map((one) => plain(one, least)) }));
  const page = { browser: navigator.userAgent, threads: crossOriginIsolated, least };
  return JSON.stringify({ ...page, models, memory: memory(sides), results }, null, 1);
}

// Pictures are written as PNG, other arrays as lists.
function plain(found, least) {
  if (found.kind === "detections") return { ...found, boxes: over(found.boxes, least) };
  if (found.kind === "classes") return { ...found, classes: found.classes.slice(0, BEST) };
  if (found.kind === "picture") return { kind: found.kind, png: made(found).toDataURL() };
  if (found.kind === "landmarks") return found;
  const lists = Object.entries(found.outputs).map(([name, one]) => [name, { ...one, values: Array.from(one.values) }]);
  return { ...found, outputs: Object.fromEntries(lists) };
}

export function download(text, name) {
  const link = Object.assign(document.createElement("a"), { download: name });
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.click();
  URL.revokeObjectURL(link.href);
}
