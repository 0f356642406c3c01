"use strict";

class Reloaded extends runner.TfjsModel {
  async run(feed) {
    if (this.disposes) this.model.dispose();
    await this.load();
    return super.run(feed);
  }
}

async function reload({ folder, disposes, inputs, outputs }) {
  await runner.useBackend(tf, "cpu");
  const description = await (await fetch(`${folder}model.json`)).json();
  const shards = await (await fetch(`${folder}${description.weightsManifest[0].paths[0]}`)).arrayBuffer();
  const model = Object.assign(new Reloaded(tf, description, [shards], outputs), { disposes });
  return runner.measure(model, inputs, 3);
}
