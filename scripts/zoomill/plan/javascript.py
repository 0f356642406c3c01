"""What runs TensorFlow.js models: files of web/, what is kept of the packages of web/package-lock.json, and Node.

Node is always that of envs/javascript.yaml, whatever the machine has: `planned` files and golden outputs depend on it.
"""

_WASM = "@tensorflow/tfjs-backend-wasm/dist"
# In Node.
NODE = (
    "@tensorflow/tfjs/dist/tf.min.js",
    f"{_WASM}/tf-backend-wasm.min.js",
    f"{_WASM}/tfjs-backend-wasm.wasm",
    f"{_WASM}/tfjs-backend-wasm-simd.wasm",
    f"{_WASM}/tfjs-backend-wasm-threaded-simd.wasm",
)
# In a browser.
BROWSER = (
    *NODE,
    "@litertjs/core/dist/index.js",
    "@litertjs/core/wasm/litert_wasm_internal.js",
    "@litertjs/core/wasm/litert_wasm_internal.wasm",
    "@litertjs/wasm-utils/dist/bundle.js",
    "@tensorflow/tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js",
)
NODE_SCRIPTS = ("node.js", "runner.js", "sensitivity.js", "operators.js")
BROWSER_SCRIPTS = ("prove.html", "runner.js")
FOLDER = "build/javascript"
# In the folder, a link to Node: it has 126 MB, and each working directory has a folder.
PROGRAM = "node"
# Of the package @sparticuz/chromium, fetched where a browser is asked for and the machine has none.
CHROMIUM = f"{FOLDER}/chromium"
