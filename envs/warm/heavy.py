"""What commands import that is heavy, and takes most of their time: one warm process for each of these and environment.

Never a module of this repository, so that edits count. Only what starts no threads: those do not survive a fork, so
OpenVINO is not among them, and TOCO wants no TensorFlow that was started. A command that is not listed runs cold: its
imports take less than 0.3 s, or it may use the network, which no other job may be near.
"""

# Not tensorflowjs, which only conversions need, 0.3 s each, and which imports what modules of ours stand for.
TENSORFLOW = ("tensorflow",)
ONNX = ("tensorflow", "onnx", "onnxruntime")
TORCH = ("torch", "onnx", "torch._export.converter")
LITERT = ("numpy", "ai_edge_litert.interpreter", "ai_edge_quantizer.quantizer")

_COMMANDS = {
    TENSORFLOW: """
        add_postprocess convert_layers convert_tfjs convert_tflite export_darknet export_frozen_graph export_inference
        export_keras export_saved_model export_tf1_checkpoint export_tf1_detection export_tfjs quantise_tensorflow
        """,
    ONNX: "export_onnx export_pytorch export_tflite",
    TORCH: "convert_pytorch predict_pytorch run_pytorch",
    LITERT: """
        bisect_quantisation calibrate compare_tensors draw_pictures evaluate_source evaluate_tfjs evaluate_tflite
        finish_toco fit_pictures graft_postprocess inspect_model list_samples lock_artifacts map_tfjs plan_tfjs
        quantise_tfjs quantise_tflite take_tflite validate_kernels validate_micro validate_tfjs validate_tflite verify
        write_c_array write_contract write_labels
        """,
}
# Of these, which take hundreds of megabytes, only as many live as jobs run.
LARGE = {TENSORFLOW, ONNX, TORCH}
IMPORTS = {command: modules for modules, commands in _COMMANDS.items() for command in commands.split()}
