# Without its declared dependencies (tensorflow-gpu, jupyter, pycocotools-fix, ...): tf115.yaml pins what it really uses.
python -m pip install --quiet --no-deps tf-object-detection==0.0.3
