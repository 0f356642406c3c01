# tf-keras reads Keras 2 files. It and tensorflow-hub ask for the package tensorflow, of which tensorflow-cpu is a build.
# tensorflowjs without its declared dependencies: of TensorFlow Decision Forests and JAX, which we do not convert, the
# newest do not even import together.
python -m pip install --quiet --no-deps tf-keras==2.21.0 tensorflow-hub==0.16.1 tensorflowjs==4.22.0
