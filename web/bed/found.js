// What a model has found, in the form that the page draws.
//
//   {kind: "detections", boxes: [{box: [top, left, bottom, right] relative to the picture, label, score}]}
//   {kind: "classes", classes: [{label, score}], all of them by falling score}
//   {kind: "landmarks", points: [[x, y] relative to the picture, …]}
//   {kind: "picture", width, height, pixels: Uint8ClampedArray of RGBA}
//   {kind: "values", outputs: {name: {meaning, shape, values}}}

export const LEAST = 0.05; // score of a box; lower ones are noise, and hundreds
export const BEST = 5; // classes that are shown

export const over = (boxes, least) => boxes.filter(({ score }) => score >= least);

// Read what decode.js gives. `shows` is the registry's key, docs/web.md; `size` height and width of the input.
export function read(shows, decoded, size) {
  const { kind, output } = shows;
  if (kind === "detections") return { kind, boxes: decoded.map(({ box, label, score }) => ({ box, label, score })) };
  if (kind === "classes") return { kind, classes: decoded.map(({ label, score }) => ({ label, score })) };
  if (kind === "landmarks") return { kind, points: points(decoded[output].values, shows, size) };
  if (kind === "picture") return { kind, ...pixels(decoded[output], shows.range) };
  return { kind: "values", outputs: decoded };
}

// `dimensions` values for each point, of which the first two are x and y, in a unit.
function points(values, { dimensions, unit }, [height, width]) {
  const ends = { edge: [[0, 1], [0, 1]], pixels: [[0, width], [0, height]] }[unit] ?? [unit, unit];
  const part = (value, [low, high]) => (value - low) / (high - low);
  const rows = Array.from({ length: values.length / dimensions }, (_, row) => row * dimensions);
  return rows.map((at) => [part(values[at], ends[0]), part(values[at + 1], ends[1])]);
}

// The values of a picture, brought from its range to 0 to 255, once.
function pixels({ shape, values }, [low, high]) {
  const last = shape.length - 1;
  const first = shape[last] > 4; // channels before rows
  const [height, width, channels] = first ? [shape[last - 1], shape[last], shape[last - 2]] : shape.slice(last - 2);
  const result = new Uint8ClampedArray(height * width * 4);
  const count = height * width;
  for (let at = 0; at < count; at += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      const own = Math.min(channel, channels - 1);
      const value = values[first ? own * count + at : at * channels + own];
      result[4 * at + channel] = ((value - low) / (high - low)) * 255; // the array rounds and cuts
    }
    result[4 * at + 3] = 255;
  }
  return { width, height, pixels: result };
}
