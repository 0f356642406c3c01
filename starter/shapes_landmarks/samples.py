"""The triangles data set: pictures uint8 [48, 48, 1], labels x y of three corners in parts of the edge.

python -m starter.shapes_landmarks.samples --output FOLDER
"""

from starter import sample_files
from starter.shapes_landmarks import draw

# Folder, seed and number of pictures; the seeds of train.py.
SETS = (("training", 1, 64), ("heldout", 1000, 200))


def samples():
    """Yield name, picture and corners."""
    for folder, seed, count in SETS:
        for number, (picture, corners) in enumerate(zip(*draw.pictures(seed, count), strict=True)):
            yield f"{folder}/{number:03}.npy", picture, " ".join(f"{value:.6f}" for value in corners)


if __name__ == "__main__":
    sample_files.main(samples)
