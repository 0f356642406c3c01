// What a model is shown: pictures, a film or the camera.
//
// An input is {name, source, moving, view, width, height, stop()}; `source` is what a picture was made from, and
// `view` can be drawn on a canvas, and shows another picture each time where the input is moving.

// No picture is kept larger: nobody sees more, and no model here is fed more.
const LARGEST = 1600;

// A canvas with what an input shows now.
export function frame({ view, width, height }) {
  const scale = Math.min(1, LARGEST / Math.max(width, height));
  return drawn(view, Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
}

// The same canvas, or one that is just as large as a model's input needs, in the picture's own proportions: decode.js
// looks at four pixels for each of the input's, which would skip most of a large picture; a canvas averages.
export function shrunk(picture, [height, width]) {
  const scale = Math.max(height / picture.height, width / picture.width);
  return scale < 1 ? drawn(picture, Math.round(picture.width * scale), Math.round(picture.height * scale)) : picture;
}

function drawn(view, width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  // Without transparency, so that people and models see the same.
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(view, 0, 0, width, height);
  return canvas;
}

// A picture from an address or a file.
export async function picture(source) {
  const image = new Image();
  const own = source instanceof Blob;
  const name = own ? source.webkitRelativePath || source.name : decodeURIComponent(source.split("/").pop());
  image.src = own ? URL.createObjectURL(source) : source;
  try {
    await image.decode();
  } catch {
    throw new Error(`${name}: cannot be read as a picture`);
  } finally {
    if (own) URL.revokeObjectURL(image.src);
  }
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  return { name, source, moving: false, view: image, width, height, stop() {} };
}

// A film, again and again.
export async function film(file) {
  const source = URL.createObjectURL(file);
  const video = Object.assign(document.createElement("video"), { muted: true, loop: true, playsInline: true });
  video.src = source;
  const stop = () => {
    video.pause();
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(source);
  };
  return watched(file.name, video, stop);
}

// The camera; its light goes out by stop().
export async function camera() {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: true });
  } catch (error) {
    throw new Error(`The camera cannot be had: ${error.message}`);
  }
  const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
  video.srcObject = stream;
  const stop = () => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  return { ...(await watched("camera", video, stop)), camera: true };
}

async function watched(name, video, stop) {
  try {
    await video.play();
  } catch (error) {
    stop();
    throw new Error(`${name}: cannot be played: ${error.message}`);
  }
  return { name, moving: true, view: video, width: video.videoWidth, height: video.videoHeight, stop };
}

// All files that were dropped, those of folders too.
export async function dropped(transfer) {
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  const found = items.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile()); // gone after the first await
  return (await Promise.all(found.map((one) => (one instanceof File ? [one] : within(one))))).flat();
}

async function within(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // at most a hundred
    if (!some.length) return found;
    for (const one of some) found.push(...(await within(one)));
  }
}
