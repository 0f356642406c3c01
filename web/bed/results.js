// What was found, as JSON.

import { memory } from "./figures.js";
import { over } from "./views.js";

// The result of one picture.
export function result(name, sides, least) {
  return { picture: name, found: sides.map(({ found }) => plain(found, least)) };
}

// All results of the models that are open.
export function report(sides, least, pictures) {
  const models = sides.map((side) => {
    const { shows, ...about } = side.runner.description;
    return { ...about, backend: side.runner.backend, times_ms: side.times() };
  });
  return { browser: navigator.userAgent, threads: crossOriginIsolated, least, models, memory: memory(sides), pictures };
}

// Pixels and other arrays are written as lists.
function plain(found, least) {
  if (found.kind === "detections") return { ...found, boxes: over(found.boxes, least) };
  if (found.kind === "picture") return { ...found, pixels: Array.from(found.pixels) };
  if (found.kind !== "values") return found;
  const lists = Object.entries(found.outputs).map(([name, one]) => [name, { ...one, values: Array.from(one.values) }]);
  return { ...found, outputs: Object.fromEntries(lists) };
}

export function download(text, name) {
  const link = Object.assign(document.createElement("a"), { download: name });
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.click();
  URL.revokeObjectURL(link.href);
}
