// Models that are dropped on the page.

// Return the choice, see registry.js, that files make.
export async function open(files) {
  throw new Error(`${files[0].name}: is no picture and no film`);
}
