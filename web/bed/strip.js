// Pictures to choose from: a model's samples, or a person's own.

export class Strip {
  // `choose` is called with the index of a picture; `all`, a button, runs all of them.
  constructor(element, all, choose) {
    Object.assign(this, { element, all, choose, sources: [], own: false });
    all.onclick = () => this.sources.forEach((_, index) => choose(index));
  }

  // Offer addresses, or files, which are `own`.
  offer(sources, own) {
    for (const image of this.element.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    Object.assign(this, { sources, own });
    this.element.replaceChildren(...sources.map((source, index) => this.button(source, index)));
    this.all.hidden = sources.length < 2;
  }

  button(source, index) {
    const name = source.name ?? `sample ${index + 1}`;
    const image = Object.assign(document.createElement("img"), { loading: "lazy", alt: name });
    image.src = source instanceof Blob ? URL.createObjectURL(source) : source;
    const button = Object.assign(document.createElement("button"), { type: "button", title: name });
    button.append(image);
    button.onclick = () => this.choose(index);
    return button;
  }

  // Mark the picture that is shown, if it is one of these.
  mark(shown) {
    this.sources.forEach((source, index) => (this.element.children[index].ariaPressed = String(source === shown)));
  }
}
