async function show({ section, name, address }) {
  const { newer } = await import("/results/models.js");
  const entry = newer[section].find(({ modelPath }) => modelPath.startsWith(`${name}/`));
  const model = await tf.loadGraphModel(`/results/${entry.modelPath}/model.json`);
  const { run } = await import(`/results/${entry.decoder}`);
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  const found = await run(tf, model, picture);
  const classes = await (await fetch(`/results/${entry.classes}`)).json();
  model.dispose();
  return { found, classes, tensors: tf.memory().numTensors };
}
