"""Drawing on small pictures: they are enlarged by a whole number, so that a pixel of the input stays one to see."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from zoomill.printable import printable

# Colours of a picture that is drawn on, and with what is drawn. A photograph takes a third of the bytes with them, and
# looks the same beside another with as few.
_GROUND, _DRAWN = 128, 256
# The longest side of what is drawn, the size of Pillow's own font, and a line of it, in pixels.
SIDE, _FONT, _LINE = 320, 12, 15
# Colours that are told apart, with colour blindness too (Okabe and Ito 2008, Color Universal Design), black left out.
_COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167))
# Luma (ITU-R BT.601) from which a colour has black text on it.
_BRIGHT = 110
_MOST_LETTERS, _FEW = 40, 30


def enlarged(pixels):
    """Return a picture as large as :data:`SIDE` lets a whole multiple of it be; one that is larger is made smaller.

    Args:
        pixels: uint8 ``[height, width, 3 or 1]``, RGB or grey.

    Returns:
        PIL.Image.Image, RGB or L.
    """
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    longest = max(picture.size)
    if longest <= SIDE:
        factor = SIDE // longest
        return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    size = (max(1, round(side * SIDE / longest)) for side in picture.size)
    return picture.resize(tuple(size), Image.Resampling.BILINEAR)


def ground(picture):
    """Return a picture to draw on, RGB, with fewer colours where it has many."""
    return _with_colours(picture.convert("RGB"), _GROUND).convert("RGB")


def _with_colours(picture, most):
    return picture if picture.getcolors(most) else picture.quantize(most, Image.Quantize.MEDIANCUT, dither=0)


def with_boxes(picture, boxes, classes, texts):
    """Return a copy of a picture with boxes, the first one on top, each with a text on a plate of its class's colour.

    Where there is no place left in a crowd, a text is left out.

    Args:
        picture: what :func:`ground` returned.
        boxes: float ``[n, 4]``: ymin, xmin, ymax, xmax, relative to the picture.
        classes: int ``[n]``.
        texts: of each box; control characters are made visible, what does not fit is cut.
    """
    drawn = picture.copy()
    pen, font = ImageDraw.Draw(drawn), ImageFont.load_default(_FONT)
    places = [_pixels(box, drawn) for box in boxes]
    colours = [_COLOURS[number % len(_COLOURS)] for number in classes]
    for (left, top, right, bottom), colour in reversed(list(zip(places, colours, strict=True))):
        pen.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline=(0, 0, 0))
        pen.rectangle((left, top, right, bottom), outline=colour, width=2)
    texts = [_fitting(font, printable(text, _MOST_LETTERS), drawn.width - 4) for text in texts]
    plates = []
    for place, text in zip(places, texts, strict=True):
        plates.append(_plate(place, round(font.getlength(text)) + 4, drawn.size, list(filter(None, plates))))
    for plate, text, colour in zip(plates, texts, colours, strict=True):
        if plate is None:
            continue
        left, top, right, bottom = plate
        pen.rectangle((left, top, right - 1, bottom - 1), fill=colour)
        dark = np.dot(colour, (0.299, 0.587, 0.114)) > _BRIGHT
        pen.text((left + 2, bottom - 4), text, fill=(0, 0, 0) if dark else (255, 255, 255), font=font, anchor="ls")
    return _with_colours(drawn, _DRAWN)


def _pixels(box, picture):
    """Return the first and last column and row of a box inside of the picture: left, top, right, bottom."""
    edges = []
    for low, high, size in ((box[1], box[3], picture.width), (box[0], box[2], picture.height)):
        ends = np.nan_to_num([low * size, high * size - 1])
        start, end = np.clip(np.rint(ends), 0, size - 1).astype(int).tolist()
        edges.append((start, max(start, end)))
    (left, right), (top, bottom) = edges
    return left, top, right, bottom


def _plate(place, width, size, taken):
    """Return where the text of a box stands: above it, below it or inside, where no better box's text stands; or None.

    Args:
        place: the box: left, top, right, bottom.
        width: of the text with its margins.
        size: width and height of the picture.
        taken: the plates of better boxes.
    """
    left = max(0, min(place[0], size[0] - width))
    tops = [place[1] - _LINE, place[3] + 1, place[1], place[3] + 1 - _LINE]
    inside = [top for top in tops if 0 <= top <= size[1] - _LINE] or [0]
    plates = [(left, top, left + width, top + _LINE) for top in inside]
    return next((plate for plate in plates if not any(_overlap(plate, other) for other in taken)), None)


def _overlap(first, second):
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]


def _fitting(font, text, width):
    """Return a text, without its middle where it is wider."""
    cut = text
    while font.getlength(cut) > width and len(text) > 1:
        half = (len(text) - 1) // 2
        text = text[:half] + text[len(text) - half :]
        cut = f"{text[:half]}…{text[half:]}"
    return cut


def with_points(picture, points):
    """Return a copy of a picture with a dot at each point, the first in another colour; points outside are left out.

    Args:
        picture: what :func:`ground` returned.
        points: float ``[n, 2]``: x, y relative to the picture.
    """
    drawn = picture.copy()
    pen = ImageDraw.Draw(drawn)
    radius = 4 if len(points) < _FEW else 2  # those of a face would be one blot
    for number, (x, y) in reversed(list(enumerate(points))):
        if 0 <= x <= 1 and 0 <= y <= 1:
            left, top = (round(end * size) - radius for end, size in zip((x, y), drawn.size, strict=True))
            colour = _COLOURS[0 if number == 0 else 1]
            pen.ellipse((left, top, left + 2 * radius - 1, top + 2 * radius - 1), colour, (0, 0, 0))
    return _with_colours(drawn, _DRAWN)


def png(picture):
    """Return a picture as the bytes of a PNG file, without any metadata."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
