// What a .tflite file says of itself: its ends with their quantisation, operators that are not TensorFlow Lite's own,
// and what its metadata tell of pictures and labels. The file is data of a stranger: every place is checked.

const TYPES = ["float32", "float16", "int32", "uint8", "int64", "string", "bool", "int16", "complex64", "int8"];
const CUSTOM = 32; // the builtin code of operators with names of their own
const ACTIVATIONS = { 14: "sigmoid", 25: "softmax", 28: "tanh" }; // of operators that outputs come from
const METADATA = "TFLITE_METADATA";
const [NORMALISATION, IMAGE] = [1, 2]; // of the unions of options and of content
const COLOURS = { 1: "RGB", 3: "GRAY" };

// A table of a FlatBuffer. A field is named by its number; one that is not there is null.
class Table {
  constructor(view, at) {
    const fields = at - view.getInt32(at, true);
    Object.assign(this, { view, at, fields, end: view.getUint16(fields, true) });
  }

  place(field) {
    const slot = 4 + 2 * field;
    const offset = slot < this.end ? this.view.getUint16(this.fields + slot, true) : 0;
    return offset ? this.at + offset : null;
  }

  number(field, kind, otherwise) {
    const place = this.place(field);
    return place === null ? otherwise : this.view[`get${kind}`](place, true);
  }

  follow(field) {
    const place = this.place(field);
    return place === null ? null : place + this.view.getUint32(place, true);
  }

  table(field) {
    const place = this.follow(field);
    return place === null ? null : new Table(this.view, place);
  }

  // The places of a vector's members, `size` bytes each.
  members(field, size) {
    const place = this.follow(field);
    const length = place === null ? 0 : this.view.getUint32(place, true);
    if (length * size > this.view.byteLength) throw new RangeError("a vector goes beyond the end");
    return Array.from({ length }, (_, index) => place + 4 + index * size);
  }

  numbers(field, kind, size) {
    return this.members(field, size).map((place) => Number(this.view[`get${kind}`](place, true)));
  }

  tables(field) {
    return this.members(field, 4).map((place) => new Table(this.view, place + this.view.getUint32(place, true)));
  }

  bytes(field) {
    const place = this.follow(field);
    if (place === null) return new Uint8Array();
    return new Uint8Array(this.view.buffer, this.view.byteOffset + place + 4, this.view.getUint32(place, true));
  }

  text(field) {
    return new TextDecoder().decode(this.bytes(field));
  }
}

// A tensor at an end of the network: name, dtype, shape with -1 for what is open, its one scale and zero point or null.
function end(tensor, name) {
  const shape = tensor.numbers(0, "Int32", 4);
  const open = tensor.numbers(7, "Int32", 4);
  const quantisation = tensor.table(4);
  const [scale, zero] = quantisation
    ? [quantisation.numbers(2, "Float32", 4), quantisation.numbers(3, "BigInt64", 8)]
    : [[], []];
  return {
    name: name ?? tensor.text(3),
    dtype: TYPES[tensor.number(1, "Int8", 0)] ?? "unknown",
    shape: open.length ? open : shape,
    quantisation: scale.length === 1 ? { scale: scale[0], zero: zero[0] ?? 0 } : null,
  };
}

// Names that the first signature has for tensors, `{number of the tensor: name}`.
function named(model, field) {
  const maps = model.tables(7)[0]?.tables(field) ?? [];
  return Object.fromEntries(maps.map((map) => [map.number(1, "Uint32", 0), map.text(0)]));
}

// What the metadata say of the first input: the range of its values, and its colour; null where they say nothing.
function told(model) {
  try {
    return ofPictures(model);
  } catch {
    return { colour: null, range: null }; // damaged ones say nothing, the model may be whole
  }
}

function ofPictures(model) {
  const entry = model.tables(6).find((one) => one.text(0) === METADATA);
  const bytes = entry && model.tables(4)[entry.number(1, "Uint32", 0)]?.bytes(0);
  if (!bytes?.length) return { colour: null, range: null };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const input = new Table(view, view.getUint32(0, true)).tables(3)[0]?.tables(2)[0];
  const content = input?.table(3);
  const colour = content?.number(0, "Uint8", 0) === IMAGE ? COLOURS[content.table(1)?.number(0, "Int8", 0)] : null;
  const unit = input
    ?.tables(4)
    .find((one) => one.number(0, "Uint8", 0) === NORMALISATION)
    ?.table(1);
  const [means, deviations] = unit ? [unit.numbers(0, "Float32", 4), unit.numbers(1, "Float32", 4)] : [[], []];
  const even = means.length && new Set(means).size === 1 && new Set(deviations).size === 1;
  return { colour: colour ?? null, range: even ? [0, 255].map((value) => (value - means[0]) / deviations[0]) : null };
}

// What a file says of itself.
//
// Returns {inputs, outputs, custom, colour, range}: the ends as they are fed and read, names of operators that
// TensorFlow Lite itself has not, and of the first input what the metadata tell.
// Throws an Error for bytes that are no such file.
export function describe(buffer) {
  const view = new DataView(buffer);
  const mark = buffer.byteLength < 8 ? "" : new TextDecoder().decode(new Uint8Array(buffer, 4, 4));
  if (mark !== "TFL3") throw new Error("is no TensorFlow Lite file: its bytes do not begin like one");
  try {
    const model = new Table(view, view.getUint32(0, true));
    const graph = model.tables(2)[0];
    const tensors = graph.tables(0);
    const [given, found] = [named(model, 0), named(model, 1)];
    const codes = model
      .tables(1)
      .map((one) => [Math.max(one.number(0, "Int8", 0), one.number(3, "Int32", 0)), one.text(1)]);
    const makers = graph
      .tables(3)
      .flatMap((one) => one.numbers(2, "Int32", 4).map((index) => [index, codes[one.number(0, "Uint32", 0)][0]]));
    const activations = Object.fromEntries(makers.map(([index, code]) => [index, ACTIVATIONS[code]]));
    const output = (index) => ({ ...end(tensors[index], found[index]), activation: activations[index] ?? null });
    return {
      inputs: graph.numbers(1, "Int32", 4).map((index) => end(tensors[index], given[index])),
      outputs: graph.numbers(2, "Int32", 4).map(output),
      custom: codes.filter(([code]) => code === CUSTOM).map(([, name]) => name),
      ...told(model),
    };
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError)
      throw new Error("is damaged: it refers to what it does not hold");
    throw error;
  }
}

// The labels that are packed behind the file, one a line, or null.
export async function labels(buffer) {
  const view = new DataView(buffer);
  let at = buffer.byteLength - 22; // the end of a ZIP without comment
  if (at < 0 || view.getUint32(at, true) !== 0x06054b50) return null;
  const decode = (start, length) => new TextDecoder().decode(new Uint8Array(buffer, start, length));
  const whole = view.getUint32(at + 12, true) + view.getUint32(at + 16, true);
  const before = at - whole; // what stands before the ZIP, where it does not count it itself
  const files = view.getUint16(at + 10, true);
  at = before + view.getUint32(at + 16, true);
  for (let file = 0; file < files; file += 1) {
    const [name, extra, comment] = [28, 30, 32].map((place) => view.getUint16(at + place, true));
    if (decode(at + 46, name).endsWith(".txt")) {
      const start = before + view.getUint32(at + 42, true);
      const content = start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
      const packed = new Blob([new Uint8Array(buffer, content, view.getUint32(at + 20, true))]);
      const inflate = new DecompressionStream("deflate-raw");
      const plain =
        view.getUint16(at + 10, true) === 0 ? packed : await new Response(packed.stream().pipeThrough(inflate)).blob();
      return lines(await plain.text());
    }
    at += 46 + name + extra + comment;
  }
  return null;
}

// The lines of a file of labels; empty ones at its end do not count.
export function lines(text) {
  return text.replace(/\s+$/, "").split(/\r?\n/);
}
