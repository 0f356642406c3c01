"""Use a report as a person does, in Chromium, from disk, in the environment that can drive one.

Reads the paths of index.html, Chromium and axe-core from the command line. Writes JSON: what the table showed after
each step, ``wide`` of each page at 390 pixels, ``errors`` of the console, ``asked`` for other hosts, ``serious``
findings of axe-core on each page, light and dark.
"""

import json
import sys
from pathlib import Path

from accessibility import serious
from playwright.sync_api import sync_playwright

ARTIFACTS = "rows => rows.filter(row => !row.hidden).map(row => row.querySelector('td').textContent)"


def shown(page):
    return page.locator("table.sortable tbody tr").evaluate_all(ARTIFACTS)


index = Path(sys.argv[1])
found = {"errors": [], "asked": [], "serious": {}}
with sync_playwright() as playwright:
    chromium = playwright.chromium.launch(executable_path=sys.argv[2], args=["--no-sandbox"])
    page = chromium.new_page()
    page.on("console", lambda message: message.type == "error" and found["errors"].append(message.text))
    page.on("pageerror", lambda error: found["errors"].append(str(error)))
    page.on("dialog", lambda dialog: found["errors"].append(f"dialog {dialog.message}"))
    page.on("request", lambda request: request.url.startswith("file:") or found["asked"].append(request.url))
    page.goto(index.as_uri())
    found["start"] = shown(page)
    heading = page.get_by_role("button", name="bytes")
    heading.click()
    found["by bytes"] = shown(page)
    heading.press("Enter")
    found["by bytes, largest first"] = shown(page)
    page.get_by_role("button", name="metric").click()
    found["by metric"] = shown(page)
    page.keyboard.press("Shift+Tab")
    found["focused"] = page.evaluate("document.activeElement.textContent")
    page.get_by_label("Show").fill("tflite int8")
    found["filtered"] = shown(page)
    found["count"] = page.locator("#count").text_content()
    page.get_by_label("Show").fill("")
    found["again"] = len(shown(page))
    page.set_viewport_size({"width": 390, "height": 800})
    found["wide"] = {}
    for name in ("index", "small"):
        page.goto(index.with_name(f"{name}.html").as_uri())
        found["wide"][name] = page.evaluate("document.documentElement.scrollWidth")
        for colours in ("light", "dark"):
            page.emulate_media(color_scheme=colours)
            found["serious"][f"{name}, {colours}"] = serious(page, path=sys.argv[3])
    chromium.close()
print(json.dumps(found))
