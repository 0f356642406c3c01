// What the page has to know of a dropped model: what it is told, remembers or guesses from shapes.
//
// Answers are {height, width, layout, colour, low, high, task, labels, first} and, as the task has it: `output`;
// `boxes`, `scores`, `classes` (names of outputs, classes "" where the scores have a column for each), `order` and `unit`
// of boxes; `softmax`; `black` and `white`; `dimensions` and `unit` of points.

const STORE = "zoomill: answers 1: ";
const OPEN = 224; // height and width of an input that takes any
const BACKGROUND = /^(background|\?\?\?)$/i; // what its label is, where there is one
const LANDMARKS = [42, 63, 99, 136, 195, 204, 1404, 1434]; // values of usual sets of points
const OF_CONTRACT = { "image-classification": "classes", landmarks: "landmarks", "object-detection": "detections" };
const DETECTIONS = { boxes: "detection_boxes", scores: "detection_scores", classes: "detection_classes" };

const flat = (shape) => shape.filter((size) => size !== 1);
const count = (shape) => shape.reduce((a, b) => a * b, 1);

// Rows, columns and channels of an input that takes a picture, null for what is open; throws for another.
export function form({ name, shape }) {
  const channels = [1, 3, 4];
  const called = shape.map((size) => (size > 0 ? size : "?")).join(" × ");
  if (shape.length !== 4) throw new Error(`its input ${name} is ${called}: no picture goes in`);
  const layout = !channels.includes(shape[3]) && channels.includes(shape[1]) ? "NCHW" : "NHWC";
  const [height, width, depth] = layout === "NCHW" ? [shape[2], shape[3], shape[1]] : shape.slice(1);
  if (!channels.includes(depth)) throw new Error(`its input ${name} is ${called}: no picture goes in`);
  return { layout, height: height > 0 ? height : null, width: width > 0 ? width : null, channels: depth };
}

// What of a form is fed at first: a size for what is open.
export function sized({ layout, height, width }) {
  return { layout, height: height ?? OPEN, width: width ?? OPEN };
}

// The input's shape with what the answers say.
export function shape({ channels }, { layout, height, width }) {
  return layout === "NCHW" ? [1, channels, height, width] : [1, height, width, channels];
}

// Answers guessed from shapes, `tried` (what the model gave for an input of one colour) and what else is told.
//
// `input` is {range, colour}, null where nothing says them, `tried` [{name, shape, values, activation}].
export function guess(input, form, tried, told) {
  const { labels, background } = withoutBackground(told.labels ?? []);
  const task = taskOf(tried, labels.length + background);
  const output = chosen(task, tried);
  const [low, high] = input.range ?? (output.activation === "tanh" ? [-1, 1] : [0, 1]);
  const [black, white] =
    output.activation === "tanh" ? [-1, 1] : output.activation === "sigmoid" ? [0, 1] : [low, high];
  const values = Array.from(output.values);
  const sure =
    output.activation || (values.every((value) => value >= 0) && Math.abs(values.reduce((a, b) => a + b) - 1) < 0.01);
  const pairs = output.shape.at(-1);
  return {
    ...sized(form),
    ...{ colour: input.colour ?? (form.channels === 1 ? "GRAY" : "RGB"), low, high, task, output: output.name },
    ...{ labels, softmax: task === "classes" && !sure, black, white },
    ...boxes(tried),
    // Numbers of classes do not count the background.
    first: task === "detections" && boxes(tried).classes ? 0 : background,
    ...{ order: "yx", unit: "edge" },
    dimensions: pairs === 2 || pairs === 3 ? pairs : output.values.length % 3 === 0 && output.values.length % 2 ? 3 : 2,
  };
}

// Labels without the line of the background, and 1 where there is one, or 0.
export function withoutBackground(labels) {
  const background = Number(BACKGROUND.test(labels[0]));
  return { labels: labels.slice(background), background };
}

function taskOf(tried, columns) {
  if (boxes(tried).boxes && tried.length > 1) return "detections";
  if (tried.some(isPicture)) return "picture";
  const one = tried.find(({ shape }) => flat(shape).length <= 1) ?? tried[0];
  const size = count(one.shape);
  if (size === columns || one.activation === "softmax") return "classes";
  if (LANDMARKS.includes(size) || (flat(one.shape).length === 2 && [2, 3].includes(one.shape.at(-1))))
    return "landmarks";
  return flat(one.shape).length <= 1 && size > 1 ? "classes" : "values";
}

const isPicture = ({ shape: [, ...own] }) =>
  own.length === 3 && Math.min(...own) >= 1 && [own[0], own[2]].some((size) => size === 1 || size === 3) && own[1] >= 8;

function chosen(task, tried) {
  if (task === "picture") return tried.find(isPicture);
  return [...tried].sort((one, other) => count(other.shape) - count(one.shape))[0];
}

// Outputs that are boxes, scores and numbers of classes by their shapes, and of two alike by their names.
function boxes(tried) {
  const box = tried.find(({ shape }) => shape.at(-1) === 4 && flat(shape).length <= 2 && count(shape) > 4);
  if (!box) return { boxes: "", scores: "", classes: "" };
  const rows = count(box.shape) / 4;
  const others = tried.filter((one) => one !== box);
  const alike = others.filter(({ shape }) => count(shape) === rows);
  const columns = others.find(({ shape }) => count(shape) > rows && count(shape) % rows === 0);
  if (columns) return { boxes: box.name, scores: columns.name, classes: "" };
  // Scores of nothing are parts of one, and classes whole.
  const scores =
    alike.find(({ name }) => /score|:2$/i.test(name)) ??
    alike.find(({ values }) => values.some((value) => value % 1)) ??
    alike[0];
  const classes = alike.find((one) => one !== scores);
  return { boxes: box.name, scores: scores?.name ?? "", classes: classes?.name ?? "" };
}

// Answers that a contract.json gives, or null where it leaves one open. `names` are those of the model's outputs.
export function ofContract(contract, guessed, names) {
  const [input] = contract.inputs;
  const [low, high] = input.value_range ?? [];
  if (typeof low !== "number" || typeof high !== "number") return null;
  const drawn = contract.outputs.find(({ value_range }) => value_range);
  const task = OF_CONTRACT[contract.task] ?? (drawn ? "picture" : guessed.task);
  const fed = { low, high, colour: input.colour ?? guessed.colour, layout: input.layout ?? guessed.layout };
  const [black, white] = drawn?.value_range ?? [guessed.black, guessed.white];
  const found = { ...guessed, ...fed, task, black, white, first: -(contract.label_offset ?? 0) };
  if (task !== "detections") return found;
  const ends = Object.values(DETECTIONS).every((name) => names.includes(name));
  return ends ? { ...found, ...DETECTIONS } : null; // raw heads are read by a decode.js
}

// What was answered for the model with a digest, or null.
export function remembered(digest) {
  try {
    return JSON.parse(localStorage.getItem(STORE + digest));
  } catch {
    return null;
  }
}

export function remember(digest, answers) {
  try {
    localStorage.setItem(STORE + digest, JSON.stringify(answers));
  } catch {
    // The browser keeps nothing, or has no room: it is asked again.
  }
}
