"""Use the test bed as a person does, in Chromium, in the environment that can drive one.

Reads a JSON object from standard input: ``folders`` to serve, ``axe`` among them with axe-core, ``pictures``, a folder,
and ``chromium``. Writes JSON: what the page showed after each step, ``barriers``, serious findings of axe-core,
``errors`` of the console and ``asked`` for other hosts, those before the last step, which asks for what is missing.
"""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

import accessibility
from playwright.sync_api import sync_playwright

from zoomill.tfjs import static_server

FLAGS = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
# Counts what is drawn and keeps the tracks of the camera.
WATCH = """
    window.drawn = 0;
    addEventListener("DOMContentLoaded", () => {
        new MutationObserver(() => (window.drawn += 1)).observe(document.getElementById("views"), { childList: true });
    });
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (what) => {
        const stream = await ask(what);
        window.tracks = stream.getTracks();
        return stream;
    };
"""
DROP = """
    const drop = (blob, name) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([blob], name, { type: blob.type }));
        dispatchEvent(new DragEvent("drop", { dataTransfer }));
    };
"""
DROP_PICTURE = f"""async () => {{
    {DROP}
    const canvas = Object.assign(document.createElement("canvas"), {{ width: 3000, height: 1500 }});
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(1500, 0, 1500, 1500);
    for (let at = 0; at < 1500; at += 24) context.fillRect(at, 0, 12, 1500); // stripes on the left
    drop(await new Promise((resolve) => canvas.toBlob(resolve, "image/png")), "large <b>.png");
}}"""
DROP_FILM = f"""async () => {{
    {DROP}
    const canvas = Object.assign(document.createElement("canvas"), {{ width: 64, height: 64 }});
    const context = canvas.getContext("2d");
    const recorder = new MediaRecorder(canvas.captureStream(25), {{ mimeType: "video/webm" }});
    const parts = [];
    recorder.ondataavailable = ({{ data }}) => parts.push(data);
    recorder.start();
    for (let at = 0; at < 12; at += 1) {{
        context.fillStyle = at % 2 ? "#fff" : "#000";
        context.fillRect(0, 0, 64, 64);
        await new Promise((resolve) => setTimeout(resolve, 40));
    }}
    await new Promise((resolve) => {{ recorder.onstop = resolve; recorder.stop(); }});
    drop(new Blob(parts, {{ type: "video/webm" }}), "film.webm");
}}"""
DROP_TEXT = f"""() => {{ {DROP} drop(new Blob(["a"], {{ type: "text/plain" }}), "notes.txt"); }}"""
# Values of red in the corners of a figure's picture: upper left, upper right.
CORNERS = """(index) => {
    const canvas = document.querySelectorAll("#views canvas")[index];
    const at = (x) => canvas.getContext("2d").getImageData(x, 1, 1, 1).data[0];
    return [at(1), at(canvas.width - 2)];
}"""


class Bed:
    """The page, and what is seen on it."""

    def __init__(self, page):
        self.page = page

    def wait(self, expression):
        """Wait until an expression is true; Playwright's own waiting needs eval, which the page's policy forbids."""
        end = time.monotonic() + 60
        while not self.page.evaluate(expression):
            assert time.monotonic() < end, f"still false: {expression}"
            time.sleep(0.02)

    def does(self, action):
        """Do something after which the page draws, and wait until it has."""
        before = self.page.evaluate("window.drawn")
        action()
        self.wait(f"window.drawn > {before}")
        self.settle()

    def settle(self):
        """Wait until nothing is drawn any more."""
        self.wait("""new Promise((resolve) => {
            const before = window.drawn;
            setTimeout(() => resolve(window.drawn === before && document.getElementById("status").hidden), 150);
        })""")

    def choose(self, field, value):
        self.does(lambda: self.page.select_option(f"#{field}", value))

    def choose_model(self, title):
        """Choose the model whose title begins so."""
        option = self.page.locator("#model option", has_text=title)
        self.choose("model", option.get_attribute("value"))

    def threshold(self, value):
        self.page.locator("#threshold").fill(str(value))
        return self.said("count")

    def said(self, name):
        return self.page.locator(f"#{name}").text_content()

    def captions(self):
        return self.page.locator("#views figcaption").all_text_contents()

    def figure(self, row):
        cells = "rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
        return {first: others for first, *others in self.page.locator("#figures tr").evaluate_all(cells)}.get(row)

    def saved(self):
        with self.page.expect_download() as event:
            self.page.click("#download")
        return json.loads(Path(event.value.path()).read_text())

    def tensors(self):
        return int(self.figure("Memory of TensorFlow.js")[0].split()[0])

    def backend(self):
        return self.page.evaluate("tf.getBackend()")


def detector(bed, found):
    page = bed.page
    found["start"] = {"counts": bed.said("count"), "threshold": bed.said("threshold-value"), "captions": bed.captions()}
    found["start"]["thumbnails"] = page.locator("#pictures img").evaluate_all(
        "all => all.map((one) => one.naturalWidth)"
    )
    found["counts"] = [bed.threshold(value) for value in (0.7, 0.1)]
    page.locator("#threshold").press("ArrowRight")
    found["by key"] = bed.said("threshold-value")
    found["backends"] = []
    for backend in ("webgl", "cpu", "wasm"):
        bed.choose("backend-0", backend)
        found["backends"].append([bed.backend(), bed.said("error"), bed.said("count")])
    bed.threshold(0.25)
    bed.does(lambda: page.check("#compare"))
    found["detections apart"] = bed.captions()
    found["json"] = bed.saved()
    found["barriers"] = []
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        found["barriers"] += accessibility.serious(page, url="/axe/axe.min.js")


def others(bed, found):
    bed.choose_model("generator")
    found["pictures apart"] = bed.captions()
    found["json of a picture"] = bed.saved()["results"][0]["found"][0]
    found["generated"] = [bed.page.evaluate(CORNERS, index) for index in range(3)]
    bed.choose_model("points")
    found["points apart"] = bed.captions()
    bed.choose_model("<img src=x onerror=alert(1)>")
    found["classes"] = bed.page.locator("dl.bars").first.inner_text().split()
    found["classes apart"] = bed.page.locator("#views table tr").all_inner_texts()
    bed.does(lambda: bed.page.uncheck("#compare"))


def reloads(bed, found):
    found["reloads"] = []
    for variant in ("uint8", "float32") * 3:
        bed.choose("variant-0", variant)
        found["reloads"].append(bed.tensors())


def inputs(bed, found):
    page = bed.page
    bed.choose_model("generator")
    bed.does(lambda: page.evaluate(DROP_PICTURE))
    found["dropped picture"] = bed.captions()[0], page.evaluate(CORNERS, 1)
    found["thumbnails"] = page.locator("#pictures button").count()
    with page.expect_file_chooser() as event:
        page.click("#choose")
    event.value.set_files([])
    found["cancelled"] = bed.captions()[0], bed.said("error")
    page.evaluate(DROP_TEXT)
    bed.wait("!document.getElementById('error').hidden")
    found["no picture"] = bed.said("error")
    bed.does(lambda: page.set_input_files("#folder", asked["pictures"]))
    bed.does(lambda: page.click("#all"))
    found["folder"] = [result["picture"] for result in bed.saved()["results"][-2:]]
    film(bed, found)
    camera(bed, found)


def film(bed, found):
    page = bed.page
    found["records"] = page.evaluate("MediaRecorder.isTypeSupported('video/webm')")
    if not found["records"]:
        return
    page.evaluate(DROP_FILM)
    bed.wait("document.querySelector('#views figcaption').textContent === 'film.webm'")
    before, drawn = bed.tensors(), page.evaluate("window.drawn")
    seen = set()
    while page.evaluate("window.drawn") < drawn + 200:
        seen.add(page.evaluate(CORNERS, 1)[0])
        page.wait_for_timeout(20)
    found["film"] = {"tensors": [before, bed.tensors()], "rate": bed.figure("Pictures a second"), "seen": sorted(seen)}
    page.click("#pause")
    bed.settle()
    found["film"]["paused"] = page.locator("#pause").get_attribute("aria-pressed")


def camera(bed, found):
    page = bed.page
    state = "window.tracks.map((track) => track.readyState)"
    found["camera"] = []
    for stop in (page.locator("#camera").click, page.locator("#pictures button").first.click):
        drawn = page.evaluate("window.drawn")
        page.click("#camera")
        bed.wait(f"window.drawn > {drawn} + 5")
        on = page.evaluate(state), page.locator("#camera").get_attribute("aria-pressed")
        stop()
        bed.wait("document.getElementById('camera').ariaPressed === 'false'")
        bed.settle()
        found["camera"].append([*on, page.evaluate(state)])


def faults(bed, found):
    bed.choose_model("leaks")
    bed.page.click("#again")
    bed.wait("!document.getElementById('leak').hidden")
    found["leak"] = bed.said("leak")
    found["errors before"] = list(found["errors"])
    for title in ("missing", "undecoded"):
        bed.page.select_option("#model", label=title)
        bed.wait("!document.getElementById('error').hidden && document.getElementById('status').hidden")
        found[title] = bed.said("error")
    bed.choose_model("points")
    found["after it"] = bed.said("error"), len(bed.captions())
    bed.page.select_option("#backend-0", "webgpu")
    bed.wait("!document.getElementById('error').hidden")
    found["no webgpu"] = bed.said("error")


asked = json.load(sys.stdin)
found = {"errors": [], "asked": []}
with static_server.serve(asked["folders"]) as address, sync_playwright() as playwright:
    chromium = playwright.chromium.launch(executable_path=asked["chromium"], args=FLAGS)
    page = chromium.new_page(viewport={"width": 390, "height": 800})
    page.set_default_timeout(60_000)
    page.on("console", lambda message: message.type == "error" and found["errors"].append(message.text))
    page.on("pageerror", lambda error: found["errors"].append(str(error)))
    page.on("dialog", lambda dialog: found["errors"].append(f"dialog {dialog.message}"))
    own = (address, f"blob:{address}", "data:")
    page.on("request", lambda request: request.url.startswith(own) or found["asked"].append(request.url))
    page.add_init_script(WATCH)
    page.goto(f"{address}/web/index.html")
    page.wait_for_selector("#views figure")
    bed = Bed(page)
    bed.settle()
    for step in (detector, others, reloads, inputs, faults):
        step(bed, found)
        found.setdefault("wide", []).append(page.evaluate("document.documentElement.scrollWidth"))
    chromium.close()
print(json.dumps(found))
