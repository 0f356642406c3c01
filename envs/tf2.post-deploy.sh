# Keras 2 files. tf-keras asks for the package tensorflow, of which tensorflow-cpu is a build.
python -m pip install --quiet --no-deps tf-keras==2.21.0
