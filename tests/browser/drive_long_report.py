"""Use the first page of a long report, in Chromium, from disk, in the environment that can drive one.

Reads the paths of index.html and Chromium from the command line and writes JSON: after each step how many rows are
shown, how many the page says there are, and whether it offers more.
"""

import json
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright


def state(page):
    shown = page.locator("table.sortable tbody tr:visible").count()
    return {"shown": shown, "count": page.locator("#count").text_content(), "more": page.locator("#more").is_visible()}


with sync_playwright() as playwright:
    chromium = playwright.chromium.launch(executable_path=sys.argv[2], args=["--no-sandbox"])
    page = chromium.new_page()
    page.goto(Path(sys.argv[1]).as_uri())
    first = page.locator("table.sortable tbody tr:visible th").first
    found = {"start": state(page)}
    page.get_by_label("Show", exact=True).fill("m014")
    found["filtered"], found["first"] = state(page), first.text_content()
    page.get_by_label("Show", exact=True).fill("")
    for _ in range(2):  # the largest first
        page.get_by_role("button", name="metric").click()
    found["sorted"], found["best"] = state(page), first.text_content()
    page.get_by_role("button", name="Show all rows").click()
    found["all"] = state(page)
    chromium.close()
print(json.dumps(found))
