"""The digits data set: every tenth training digit and all held-out ones, uint8 [8, 8, 1], with their class.

python -m starter.digits.samples --output FOLDER
"""

from starter import sample_files
from starter.digits import data

STEP = 10


def samples():
    """Yield name, picture and class: first those of training, then those held out."""
    (training, known), (heldout, labels) = data.load()
    for number in range(0, len(training), STEP):
        yield f"training/{number:04}.npy", data.pictures(training[number : number + 1])[0], known[number]
    for number, picture in enumerate(data.pictures(heldout)):
        yield f"heldout/{number:03}.npy", picture, labels[number]


if __name__ == "__main__":
    sample_files.main(samples)
