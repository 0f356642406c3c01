"""Run the report's program for JavaScript in Chromium, beside what it reads, in the environment that can drive one.

Reads from the command line: results/, the folder of JavaScript packages, a picture, the program, and Chromium. Writes
what the program gave of the picture, as JSON.
"""

import json
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

RESULTS, PACKAGES, PICTURE, PROGRAM = map(Path, sys.argv[1:5])
TYPES = {".js": "text/javascript", ".json": "application/json", ".html": "text/html"}
# The package's names as a module, as npm's bundlers see it.
HTML = """<!doctype html><script src="tf.js"></script><script>
const names = Object.keys(tf).filter((name) => /^\\w+$/.test(name) && name !== "default").join(", ");
const text = `export const { ${names} } = globalThis.tf;`;
const module = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
const map = Object.assign(document.createElement("script"), { type: "importmap" });
map.textContent = JSON.stringify({ imports: { "@tensorflow/tfjs": module } });
document.head.append(map);
</script><img src="picture">"""
FILES = {
    "/page.html": HTML,
    "/tf.js": (PACKAGES / "@tensorflow/tfjs/dist/tf.min.js").read_bytes(),
    "/picture": PICTURE.read_bytes(),
    "/program.js": PROGRAM.read_bytes(),
}
LOOK = """async () => {
    const { look } = await import("./program.js");
    return await look(document.querySelector("img"));
}"""


def answer(route):
    path = route.request.url.removeprefix("http://zoomill.test")
    body = FILES.get(path) or (RESULTS / path[1:]).read_bytes()
    route.fulfill(body=body, content_type=TYPES.get(Path(path).suffix, "application/octet-stream"))


with sync_playwright() as playwright:
    chromium = playwright.chromium.launch(executable_path=sys.argv[5], args=["--no-sandbox"])
    page = chromium.new_page()
    page.route("http://zoomill.test/**", answer)
    page.goto("http://zoomill.test/page.html")
    print(json.dumps(page.evaluate(LOOK)))
    chromium.close()
