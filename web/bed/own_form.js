// The questions about a dropped model, with what is guessed filled in.

import { withoutBackground } from "./own_answers.js";
import { lines } from "./tflite_file.js";

const RANGES = { "0 … 1": [0, 1], "−1 … 1": [-1, 1], "0 … 255": [0, 255] };
const OTHER = "other";
const SHOWS = {
  classes: "classes",
  detections: "boxes of things",
  picture: "a picture",
  landmarks: "points",
  values: "other values",
};
const ORDERS = { yx: "top, left, bottom, right", xy: "left, top, right, bottom", middle: "middle, width, height" };
const UNITS = { edge: "parts of the edges", pixels: "pixels of the input" };
const SCORES = { false: "as they are", true: "by softmax" };
const COLOURS = { RGB: "red, green, blue", BGR: "blue, green, red" };

// Ask; gives the answers, or null where the person does not want to.
//
// `about` is {name, form, outputs, note}: see own_answers.js; `outputs` are names, `note` a line to be shown or "".
export function ask({ name, form, outputs, note }, answers) {
  const questions = new Questions({ ...answers });
  const body = element("form", {});
  const buttons = element("div", { className: "buttons wide" });
  const dialog = element("dialog", { className: "own" });
  body.append(
    element("h2", { textContent: name }),
    element("p", { className: "wide quiet", textContent: note, hidden: !note }),
    part("What goes in", questions.ofInput(form)),
    part("What comes out", questions.ofOutputs(outputs)),
    buttons
  );
  const cancel = element("button", { type: "button", textContent: "Cancel", onclick: () => dialog.close() });
  buttons.append(element("button", { type: "submit", textContent: "Run it" }), cancel);
  body.onsubmit = (event) => {
    event.preventDefault();
    dialog.close("run");
  };
  questions.show();
  dialog.append(body);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => {
      dialog.remove();
      resolve(dialog.returnValue === "run" ? questions.told : null);
    };
  });
}

// Rows of fields, of which each writes its answer into `told`.
class Questions {
  constructor(told) {
    Object.assign(this, { told, rows: [] });
  }

  ofInput({ height, width, channels }) {
    const size = { min: 1, max: 4096, step: 1 };
    return [
      !height && this.row("Height", this.number("height", size)),
      !width && this.row("Width", this.number("width", size)),
      this.row("Black … white", this.range("low", "high")),
      this.row("Colours", channels > 1 ? this.choice("colour", COLOURS) : element("output", { textContent: "grey" })),
    ];
  }

  ofOutputs(outputs) {
    const ends = Object.fromEntries(outputs.map((output) => [output, output]));
    const first = this.choice("first", { 0: "counts", 1: "is background" }, Number);
    const pick = (text, key, more = {}) => this.row(text, this.choice(key, { ...more, ...ends }), ["detections"]);
    return [
      this.row("It is", this.choice("task", SHOWS)),
      outputs.length > 1 && this.row("Output", this.choice("output", ends), ["classes", "picture", "landmarks"]),
      pick("Boxes", "boxes"),
      pick("Scores", "scores"),
      pick("Classes", "classes", { "": "a column of scores each" }),
      this.row("A box is", this.choice("order", ORDERS), ["detections"]),
      this.row(
        "Scores",
        this.choice("softmax", SCORES, (text) => text === "true"),
        ["classes"]
      ),
      this.row("First class", first, ["classes", "detections"]),
      this.row("Black … white", this.range("black", "white"), ["picture"]),
      this.row("A point is", this.choice("dimensions", { 2: "x, y", 3: "x, y, z" }, Number), ["landmarks"]),
      this.row("In", this.choice("unit", UNITS), ["detections", "landmarks"]),
      this.row("Labels", this.labels(first), ["classes", "detections"]),
    ];
  }

  // A row that is there for some tasks, without for all.
  row(text, control, tasks = Object.keys(SHOWS)) {
    const row = element("p", {});
    const [field, ...more] = [control].flat();
    field.id = `own-${this.rows.length}`;
    row.append(element("label", { textContent: text, htmlFor: field.id }), field, ...more);
    this.rows.push({ row, tasks });
    return row;
  }

  // Show the rows of the task; fields of others need not be filled in.
  show() {
    for (const { row, tasks } of this.rows) {
      row.hidden = !tasks.includes(this.told.task);
      for (const field of row.querySelectorAll("input")) field.disabled = row.hidden;
    }
  }

  choice(key, options, convert = String) {
    const select = element("select", {});
    select.append(...Object.entries(options).map(([value, text]) => new Option(text, value)));
    select.value = String(this.told[key]);
    select.onchange = () => {
      this.told[key] = convert(select.value);
      this.show();
    };
    return select;
  }

  number(key, more) {
    const input = element("input", { type: "number", step: "any", required: true, ...more, value: this.told[key] });
    input.oninput = () => (this.told[key] = input.valueAsNumber);
    return input;
  }

  // The values of black and white: a usual pair, or two numbers.
  range(low, high) {
    const ends = { [low]: "black", [high]: "white" };
    const numbers = Object.entries(ends).map(([key, text]) => Object.assign(this.number(key, {}), { ariaLabel: text }));
    const own = element("span", { className: "range" });
    own.append(...numbers);
    const select = element("select", {});
    select.append(...[...Object.keys(RANGES), OTHER].map((text) => new Option(text, text)));
    const known = Object.entries(RANGES).find(([, [a, b]]) => a === this.told[low] && b === this.told[high]);
    select.value = known?.[0] ?? OTHER;
    own.hidden = Boolean(known);
    select.onchange = () => {
      own.hidden = select.value !== OTHER;
      const values = RANGES[select.value] ?? [this.told[low], this.told[high]];
      [this.told[low], this.told[high]] = values;
      numbers.forEach((input, index) => (input.value = values[index]));
    };
    return [select, own];
  }

  // Labels from a file of text, one a line; `first` is the field of what the first class is.
  labels(first) {
    const made = element("span", { className: "labels" });
    const count = element("span", {});
    const file = element("input", { type: "file", accept: ".txt,text/plain", ariaLabel: "file of labels" });
    const say = () => {
      const { labels } = this.told;
      count.textContent = labels.length ? `${labels.length}, “${labels[0]}” first` : "none";
    };
    file.onchange = async () => {
      if (!file.files.length) return;
      const { labels, background } = withoutBackground(lines(await file.files[0].text()));
      this.told.labels = labels;
      if (this.told.task === "classes") this.told.first = background;
      first.value = this.told.first;
      say();
    };
    say();
    made.append(count, file);
    return made;
  }
}

function part(title, rows) {
  const made = element("fieldset", {});
  made.append(element("legend", { textContent: title }), ...rows.filter(Boolean));
  return made;
}

const element = (tag, properties) => Object.assign(document.createElement(tag), properties);
