// The fields that say which model runs, how, and beside what.

const field = (name) => document.getElementById(name);
const SIDES = [0, 1];

export class Settings {
  constructor() {
    this.models = [];
  }

  get model() {
    return this.models[field("model").value];
  }

  get compares() {
    return field("compare").checked;
  }

  // Variant and backend of each side that is to run.
  get chosen() {
    return SIDES.slice(0, this.compares ? 2 : 1).map((side) => ({
      variant: this.variant(side),
      backend: field(`backend-${side}`).value,
    }));
  }

  variant(side) {
    return this.model.variants.find(({ name }) => name === field(`variant-${side}`).value);
  }

  // Offer models, see registry.js, and choose the one of this index.
  offer(models, index) {
    this.models = models;
    const groups = [...new Set(models.map(({ group }) => group))].map((label) => {
      const group = Object.assign(document.createElement("optgroup"), { label });
      const own = [...models.keys()].filter((index) => models[index].group === label);
      group.append(...own.map((index) => new Option(models[index].name, index)));
      return group;
    });
    field("model").replaceChildren(...groups);
    if (index !== undefined) field("model").value = index;
    if (models.length) this.offerVariants();
  }

  // Of another model; what is beside it is its last variant, until something else is chosen.
  offerVariants() {
    const { variants } = this.model;
    const options = variants.map(({ name, bytes }) => [`${name}, ${(bytes / 1e6).toFixed(2)} MB`, name]);
    for (const side of SIDES) {
      const kept = side && !this.compares ? variants.at(-1).name : field(`variant-${side}`).value;
      choose(field(`variant-${side}`), options, kept);
      this.offerBackends(side);
    }
  }

  offerBackends(side) {
    const options = this.variant(side).backends.map((name) => [name, name]);
    choose(field(`backend-${side}`), options, field(`backend-${side}`).value);
  }

  // Call `another` after another model was chosen, and `otherwise` after it is to be run in another way.
  listen(another, otherwise) {
    field("model").onchange = () => {
      this.offerVariants();
      another();
    };
    field("settings").onchange = ({ target }) => {
      const { side } = target.closest("fieldset").dataset;
      if (target.id === `variant-${side}`) this.offerBackends(side);
      field("second").hidden = !this.compares;
      otherwise();
    };
  }
}

function choose(select, options, value) {
  select.replaceChildren(...options.map(([text, key]) => new Option(text, key)));
  if (options.some(([, key]) => key === value)) select.value = value;
}
