"""Draw docs/test-bed.png: the test bed with two variants of the starter detector side by side.

Its arguments are the folder of a finished run with TensorFlow.js models and where to write. It needs the environment
`web`.
"""

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from PIL import Image
from playwright.sync_api import sync_playwright

from zoomill.plan import javascript
from zoomill.tfjs import static_server

run, output = map(Path, sys.argv[1:])
folders = {"web": Path(__file__).parents[2] / "web", "results": run / "results", "javascript": run / javascript.FOLDER}
with static_server.serve({k: str(v) for k, v in folders.items()}) as address, sync_playwright() as playwright:
    chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
    page = chromium.new_page(viewport={"width": 1100, "height": 820})
    page.goto(f"{address}/web/index.html")
    page.wait_for_selector("#views canvas")
    page.check("#compare")
    page.wait_for_selector("#views figure:nth-child(3)")
    page.screenshot(path=output)
    chromium.close()
# Few colours are enough, and a third of the bytes.
Image.open(output).quantize(128).save(output, optimize=True)
