# PyTorch by pip itself, which also finds a wheel in a folder (PIP_FIND_LINKS) and brings what a CUDA build needs.
python -m pip install --quiet torch==2.13.0
# It asks for transformers, kagglehub and more, which are for language models and never imported by a conversion.
python -m pip install --quiet --no-deps litert-torch==0.10.0
