"""Pictures drawn by a fixed seed, for models whose card names none: edges, colours and textures at several scales.

``RandomState`` is used because its stream is frozen, unlike that of ``numpy.random.Generator``; everything is drawn in
whole numbers or by comparison, so that pictures are the same on every machine.
"""

import numpy as np

_POOL, _ROUNDS, _VARIATIONS = 64, 4, 3


def draw(count, height, width):
    """Return ``count`` RGB uint8 pictures ``[height, width, 3]``."""
    return [_picture(np.random.RandomState(seed), height, width) for seed in range(count)]


def detected(scores_of, height, width, count=8):
    """Return ``count`` drawn pictures in which a detector finds much, of many classes.

    Args:
        scores_of: function from a list of pictures to ``[pictures, classes]``, how sure it is of each class, 0 to 1.
        height, width: size of the pictures.
    """
    pictures = draw(_POOL, height, width)
    chosen, scores = choose(scores_of, pictures, count)
    random = np.random.RandomState(_POOL)
    for _ in range(_ROUNDS):
        tried = [_vary(random, pictures[one].astype(int)) for one in chosen for _ in range(_VARIATIONS)]
        found = np.round(scores_of(tried), 3).reshape(count, _VARIATIONS, -1)
        for place, one in enumerate(chosen):
            best = (found[place] ** 2).sum(axis=1).argmax()
            if (found[place, best] ** 2).sum() > (scores[one] ** 2).sum():
                pictures[one], scores[one] = tried[place * _VARIATIONS + best], found[place, best]
    return [pictures[one] for one in chosen]


def choose(scores_of, pictures, count=8):
    """Return the numbers of ``count`` pictures in which a detector finds much, of many classes, and the scores of all.

    Args:
        scores_of: as for :func:`detected`.
        pictures: list of RGB uint8 pictures.
    """
    scores = np.round(scores_of(pictures), 3)  # so that the choice does not depend on a machine's last bits
    return _far_up(scores, min(count, len(pictures))), scores


def _far_up(scores, count):
    """Return the rows with the highest scores; what a class adds falls with what was chosen for it before."""
    gains, chosen = np.asarray(scores, float) ** 2, []
    covered = np.zeros(gains.shape[1])
    for _ in range(count):
        worth = (gains / (1 + covered)).sum(axis=1)
        worth[chosen] = -1
        chosen.append(int(worth.argmax()))
        covered += gains[chosen[-1]]
    return chosen


def _vary(random, image):
    """Return a picture that differs by one thing drawn, or in place, colour or contrast."""
    kind = random.randint(5)
    if kind < 2:
        _draw_one(random, image)
    elif kind == 2:
        image = np.roll(image, random.randint(-24, 25, 2), axis=(0, 1))
    elif kind == 3:
        image = image[..., random.permutation(3)]
    else:
        image = 128 + (image - 128) * random.randint(10, 25) // 16
    return np.clip(image, 0, 255).astype(np.uint8)


def _picture(random, height, width):
    image = _background(random, *np.mgrid[:height, :width])
    for _ in range(random.randint(1, 5)):
        _draw_one(random, image)
    return image.astype(np.uint8)


def _draw_one(random, image):
    """Draw one thing of some kind and size into an int picture."""
    height, width = image.shape[:2]
    size = max(8, int(min(height, width) * random.choice([0.12, 0.25, 0.4, 0.6, 0.85])))
    top, left = (random.randint(-size // 4, max(1, end - size * 3 // 4)) for end in (height, width))
    y, x = np.mgrid[:height, :width]
    _DRAWN[random.randint(len(_DRAWN))](random, image, (y - top) / size, (x - left) / size)


def _background(random, y, x):
    """Return a gradient with a texture: nothing, noise, stripes or squares."""
    first, last = random.randint(0, 256, (2, 3))
    ramp = (y if random.randint(2) else x)[..., None]
    image = first + (last - first) * ramp // max(1, ramp.max())
    strength, period = random.randint(0, 48), random.randint(4, 40)
    texture = (np.zeros_like(y), random.randint(-1, 2, y.shape), (x // period) % 2, (x // period + y // period) % 2)
    return np.clip(image + strength * texture[random.randint(4)][..., None], 0, 255)


def _sign(random, image, y, x):
    """Draw a traffic sign: an outline, a rim of another colour, and a bar or a dot inside."""
    outline = _OUTLINES[random.randint(len(_OUTLINES))]
    rim, inside, mark = _COLOURS[random.randint(len(_COLOURS), size=3)]
    image[outline(y, x, 1.0)] = rim
    image[outline(y, x, random.choice([0.65, 0.8, 0.9]))] = inside
    bar = (abs(y - 0.5) < 0.08) & (abs(x - 0.5) < 0.3), (abs(x - 0.5) < 0.07) & (abs(y - 0.5) < 0.3)
    image[(*bar, _disc(y, x, 0.3))[random.randint(3)]] = mark


def _figure(random, image, y, x):
    """Draw a standing figure: head, trunk, arms and legs."""
    skin, shirt, trousers = random.randint(0, 256, (3, 3))
    image[(abs(x - 0.5) < 0.14) & (y > 0.2) & (y < 0.6)] = shirt
    image[(abs(abs(x - 0.5) - 0.18) < 0.04) & (y > 0.22) & (y < 0.58)] = skin
    image[(abs(abs(x - 0.5) - 0.08) < 0.055) & (y >= 0.55) & (y < 1)] = trousers
    image[_disc(y + 0.4, x, 0.17)] = skin
    image[_disc(y + 0.44, x, 0.15) & (y < 0.07)] = random.randint(0, 90, 3)


def _face(random, image, y, x):
    """Draw the face of a person or, with ears, of an animal."""
    skin, dark = random.randint(60, 256, 3), random.randint(0, 60, 3)
    if random.randint(2):
        image[(abs(abs(x - 0.5) - 0.3) < (y + 0.05) * 0.5) & (y > -0.05) & (y < 0.4)] = skin
    image[((x - 0.5) / 0.4) ** 2 + ((y - 0.5) / 0.48) ** 2 < 1] = skin
    image[(abs(abs(x - 0.5) - 0.17) < 0.06) & (abs(y - 0.42) < 0.05)] = dark
    image[(abs(x - 0.5) < 0.05) & (abs(y - 0.58) < 0.05)] = dark
    image[(abs(x - 0.5) < 0.16) & (abs(y - 0.75) < 0.03)] = dark


def _block(random, image, y, x):
    """Draw a plain rectangle or ellipse."""
    ratio = random.choice([0.4, 0.7, 1.0])
    high, wide = ((1.0, ratio), (ratio, 1.0))[random.randint(2)]
    y, x = (y - 0.5) / high, (x - 0.5) / wide
    inside = (abs(y) < 0.5) & (abs(x) < 0.5) if random.randint(2) else y * y + x * x < 0.25
    image[inside] = _COLOURS[random.randint(len(_COLOURS))] if random.randint(2) else random.randint(0, 256, 3)


def _disc(y, x, size):
    return (x - 0.5) ** 2 + (y - 0.5) ** 2 < size * size / 4


def _square(y, x, size):
    return (abs(x - 0.5) < size / 2) & (abs(y - 0.5) < size / 2)


def _diamond(y, x, size):
    return abs(x - 0.5) + abs(y - 0.5) < size / 2


def _octagon(y, x, size):
    return _square(y, x, size) & _diamond(y, x, size * 1.41)


def _triangle(y, x, size):
    """An upright one; as its inside is nearer to its base, it shrinks towards there."""
    return (y < 0.5 + size * 0.45) & (abs(x - 0.5) < (y - 0.6 + size * 0.6) * 0.55)


def _triangle_down(y, x, size):
    return _triangle(1 - y, x, size)


_COLOURS = np.array(
    [[200, 20, 30], [250, 250, 250], [20, 20, 20], [20, 60, 180], [250, 210, 30], [30, 150, 60], [240, 120, 20]]
)
_OUTLINES = (_disc, _square, _diamond, _octagon, _triangle, _triangle_down)
_DRAWN = (_sign, _sign, _figure, _face, _block)
