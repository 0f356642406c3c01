"""What runs TensorFlow.js models: our own files in web/, and what is kept of the packages of web/package-lock.json."""

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
