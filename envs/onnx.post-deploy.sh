# onnx2tf and tf-keras ask for the package tensorflow, of which tensorflow-cpu is a build, and onnx2tf for a GUI build
# of OpenCV and for programs that we do not call.
python -m pip install --quiet --no-deps tf-keras==2.19.0 onnx2tf==1.29.24 onnx-graphsurgeon==0.5.8 sng4onnx==2.0.1 tf2onnx==1.17.0
