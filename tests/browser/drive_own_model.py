"""Drop models of one's own on the test bed, in Chromium, in the environment that can drive one.

Reads from the command line a folder with what is dropped, and folders to serve as JSON. Writes JSON: what was asked of
each model, what its result was, tensors before and after more runs, and the errors, requests and messages of the page.
"""

import json
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from zoomill.tfjs import static_server
from zoomill.tfjs.node_process import WEB

FIELDS = """rows => Object.fromEntries(rows.map(row => {
    const control = row.querySelector("select, input, output");
    return [row.querySelector("label").textContent, control.selectedOptions?.[0].textContent ?? control.value];
}))"""
WHOLE = "<img src=x onerror=alert(1)>"  # a folder's name
BROKEN = ("broken", "other", "missing", "short", "unknown", "vector", "both")
WRONG = ("torn.tflite", "detect.tflite", "int8.tflite", "notes.pdf")

root, folders = Path(sys.argv[1]), json.loads(sys.argv[2])
found = {"asked": {}, "memory": {}, "errors": {}, "console": [], "elsewhere": []}


class Bed:
    """The page, as a person uses it."""

    def __init__(self, page, address):
        self.page, self.address = page, address

    def open(self):
        self.page.goto(f"{self.address}/web/index.html")
        self.until(lambda: "has no model" in self.text("error"))
        self.page.locator("#files").set_input_files(root / "picture.png")
        self.until(lambda: self.page.locator("#pictures button").count())

    def until(self, holds):
        end = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < end, "the page does not answer"
            self.page.wait_for_timeout(20)

    def text(self, name):
        return self.page.locator(f"#{name}").text_content()

    def give(self, name):
        """Choose a folder or a file, and wait for a question, an error or a model."""
        field = "folder" if (root / name).is_dir() else "files"
        self.page.locator(f"#{field}").set_input_files(root / name)
        self.answered()

    def drop(self, name):
        """Do the same with the mouse."""
        session = self.page.context.new_cdp_session(self.page)
        what = {"items": [], "files": [str(root / name)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            session.send("Input.dispatchDragEvent", {"type": kind, "x": 100, "y": 100, "data": what})
        self.answered()

    def answered(self):
        self.page.wait_for_timeout(50)
        self.until(lambda: self.asks() or self.text("error") or not self.text("status"))

    def asks(self):
        return self.page.locator("dialog.own").count()

    def fields(self):
        return self.page.locator("dialog.own fieldset p:not([hidden])").evaluate_all(FIELDS)

    def run(self):
        """Answer as the fields stand, and return what the model found."""
        self.page.get_by_role("button", name="Run it").click()
        return self.result()

    def result(self):
        self.until(lambda: not self.asks() and not self.text("status") and self.page.locator("#views figure").count())
        self.page.wait_for_timeout(100)
        with self.page.expect_download() as download:
            self.page.locator("#download").click()
        (picture,) = json.loads(Path(download.value.path()).read_text())["results"]
        return {"picture": picture["picture"], "found": picture["found"][0]}

    def memory(self):
        """Return what is alive before and after 20 runs."""
        rows = "rows => rows.map(row => row.textContent).filter(text => text.startsWith('Memory')).join()"
        counts = [self.page.locator("#figures tr").evaluate_all(rows)]
        self.page.locator("#again").click()
        self.page.wait_for_timeout(300)
        return [*counts, self.page.locator("#figures tr").evaluate_all(rows)]


web = {"web": WEB, "javascript": folders["javascript"]}
with (
    static_server.serve({**web, "results": folders["empty"]}) as address,
    static_server.serve({**web, "results": folders["built"]}) as built,
    sync_playwright() as playwright,
):
    chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    page = chromium.new_context().new_page()
    page.on("console", lambda message: message.type == "error" and found["console"].append(message.text))
    page.on("pageerror", lambda error: found["console"].append(str(error)))
    page.on("dialog", lambda dialog: found["console"].append(f"dialog {dialog.message}"))
    page.on(
        "request",
        lambda request: (
            request.url.startswith((address, built, "blob:", "data:")) or found["elsewhere"].append(request.url)
        ),
    )
    bed = Bed(page, address)
    bed.open()
    bed.give(WHOLE)
    found["asked"]["whole"] = bed.fields()
    page.locator("dialog.own select").first.select_option("−1 … 1")
    page.locator("dialog.own input[type=file]").set_input_files(root / "labels.txt")
    page.wait_for_timeout(100)
    found["whole"] = bed.run()
    found["note"], found["text"] = bed.text("note"), bed.text("views")
    found["memory"]["whole"] = bed.memory()
    bed.open()
    bed.give(WHOLE)
    found["again"] = bed.result()
    page.locator("#change").click()
    bed.until(bed.asks)
    page.locator("dialog.own select").first.select_option("0 … 1")
    found["otherwise"] = bed.run()
    bed.drop("generator")
    found["called"] = page.locator("dialog.own h2").text_content()
    found["asked"]["generator"] = bed.fields()
    found["generator"] = bed.run()
    found["memory"]["generator"] = bed.memory()
    for name in (*BROKEN, *WRONG):
        bed.give(name)
        found["errors"][name] = bed.text("error")
    bed.give("classifier.tflite")
    page.keyboard.press("Escape")
    bed.until(lambda: not bed.asks() and bed.text("error"))
    found["cancelled"] = bed.text("error")
    bed.drop("classifier.tflite")
    found["classifier.tflite"] = bed.run()
    found["memory"]["classifier.tflite"] = bed.memory()
    bed.give("contract")
    found["contract"] = bed.result()
    bed.give("bytes.tflite")
    found["asked"]["bytes.tflite"] = bed.fields()
    found["bytes.tflite"] = bed.run()
    found["ran"] = page.evaluate("Boolean(window.ran)")
    page.goto(f"{built}/web/index.html")
    bed.until(lambda: page.locator("#variant-0 option").count() and not bed.text("status"))
    page.locator("#files").set_input_files(root / "picture.png")
    page.locator("#variant-0").select_option("float32.tflite")
    bed.until(lambda: page.locator("#backend-0").input_value() == "LiteRT wasm" and not bed.text("status"))
    found["built"] = bed.result()
    found["memory"]["built"] = bed.memory()
    chromium.close()
print(json.dumps(found))
