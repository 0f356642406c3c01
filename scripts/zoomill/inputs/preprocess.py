"""From a sample to a model's input: the one way for golden outputs, calibration and evaluation."""

import dataclasses
import warnings

import numpy as np

from zoomill.errors import UserError


def read_picture(path):
    """Read a picture as an RGB uint8 array ``[height, width, 3]``.

    Raises:
        UserError: when it cannot be read, or has more pixels than Pillow thinks any picture has.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                return np.asarray(picture.convert("RGB"))
    except Exception as error:  # Pillow raises many kinds for a damaged file
        raise UserError(f"{path}: is no picture that can be read ({error}); replace it or leave it out") from error


@dataclasses.dataclass(frozen=True)
class Preprocess:
    """Turns samples into values of one input of a contract.

    Attributes:
        promise: the input's entry in the contract.
        fit: how a picture gets the input's size: ``stretch``; ``crop``, the largest part of the right shape around the
            middle; or ``letterbox``, whole, on ``padding``.
        part: share of the edges that ``crop`` keeps before it resizes, 0 to 1.
        padding: 8-bit value around a letterbox.
        centred: whether a letterbox stands in the middle, as Darknet's, and not in the upper left corner, as YOLOX's.
        antialias: whether a pixel of a reduced picture is a mean of all that it stands for, as in Pillow, or only of
            the four next to its centre, as in OpenCV and TensorFlow.
    """

    promise: dict
    fit: str = "stretch"
    part: float = 1.0
    padding: float = 114
    centred: bool = False
    antialias: bool = True

    @classmethod
    def of(cls, promise, options):
        """Return what the card's ``preprocess`` makes of what the contract says of the input."""
        return cls(promise, **{**promise.get("preprocess", {}), **options})

    def __call__(self, array):
        """Return the value of the input, batch of one included, in the contract's dtype.

        Args:
            array: uint8 ``[height, width, 3 or 1]``, a picture, which is resized (bilinear) and brought to the
                contract's colour, layout and value range. Where the input is no picture it must have the input's number
                of values, of which 8-bit ones are brought to the value range and all others taken as they are.

        Raises:
            UserError: when the array does not fit the input.
        """
        if array.dtype == np.uint8 and self.promise["layout"]:
            return self.valued(self.fitted(array))
        if array.size != np.prod(self.promise["shape"]):
            raise UserError(
                f"a sample has shape {list(array.shape)}, the input {self.promise['name']} {self.promise['shape']}"
            )
        values = self._scaled(array) if array.dtype == np.uint8 else array
        return values.reshape(self.promise["shape"]).astype(self.promise["dtype"])

    @property
    def size(self):
        """Height and width of the input."""
        shape = self.promise["shape"]
        return tuple(shape[1:3]) if self.promise["layout"] == "NHWC" else tuple(shape[2:4])

    def box_to_picture(self, boxes, picture):
        """Return boxes relative to the input as boxes relative to the picture.

        Args:
            boxes: float ``[n, 4]``: ymin, xmin, ymax, xmax.
            picture: height and width of the picture.
        """
        (rows, columns), (height, width) = self.size, picture
        if self.fit == "letterbox" and self.centred:
            inner, start = self._letterbox(height, width)
            return (boxes * [rows, columns, rows, columns] - [*start, *start]) / [*inner, *inner]
        if self.fit == "letterbox":
            scale = min(rows / height, columns / width)
            return boxes * np.array([rows / (height * scale), columns / (width * scale)] * 2)
        if self.fit == "crop":
            raise UserError("boxes in a cropped picture say nothing of the whole; use fit: stretch or letterbox")
        return boxes

    def _letterbox(self, height, width):
        """Return rows and columns that a picture has in its letterbox, and those before it.

        letterbox_image in Darknet's src/image.c for one in the middle, preproc in yolox/data/data_augment.py else.
        """
        rows, columns = self.size
        if not self.centred:
            scale = min(columns / width, rows / height)
            return (int(height * scale), int(width * scale)), (0, 0)
        wide = columns * height < rows * width
        inner = (height * columns // width, columns) if wide else (rows, width * rows // height)
        return inner, ((rows - inner[0]) // 2, (columns - inner[1]) // 2)

    def fitted(self, pixels):
        """Return a picture in the size of the input: ``[height, width, 3 or 1]``, 0 to 255.

        Args:
            pixels: uint8 ``[height, width, 3 or 1]``.

        Returns:
            uint8; around a letterbox, the smallest dtype that holds ``padding``.
        """
        from PIL import Image

        rows, columns = self.size
        picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
        picture = picture.convert("L" if self.promise["colour"] == "GRAY" else "RGB")
        if self.fit == "crop":
            picture = picture.crop(_middle(*picture.size, columns / rows, self.part))
        (height, width), (top, left) = (rows, columns), (0, 0)
        if self.fit == "letterbox":
            (height, width), (top, left) = self._letterbox(picture.height, picture.width)
        inner = width, height
        resized = picture.resize(inner, Image.Resampling.BILINEAR) if self.antialias else interpolated(picture, *inner)
        values = np.asarray(resized, np.uint8).reshape(height, width, -1)
        if self.fit != "letterbox":
            return values
        whole = np.full((rows, columns, values.shape[2]), self.padding, _dtype_of(self.padding))
        whole[top : top + height, left : left + width] = values
        return whole

    def valued(self, fitted):
        """Return the value of the input of what :meth:`fitted` returned."""
        values = fitted.astype(np.float64)
        if self.promise["colour"] == "BGR":
            values = values[..., ::-1]
        values = self._scaled(values)
        if self.promise["layout"] == "NCHW":
            values = values.transpose(2, 0, 1)
        return values[None].astype(self.promise["dtype"])

    def _scaled(self, values):
        """Return 8-bit values in the contract's value range; an 8-bit input without one takes them as they are."""
        if self.promise["value_range"] is None:
            if self.promise["dtype"] == "uint8":
                return values
            raise UserError(
                f"the input {self.promise['name']} has no `value_range` in the card: what 0 and 255 of a picture become"
            )
        low, high = (np.asarray(end) for end in self.promise["value_range"])
        return values / 255 * (high - low) + low


def _dtype_of(padding):
    """Return the smallest of the dtypes that hold a number from 0 to 255 exactly, and all 8-bit values."""
    return next(dtype for dtype in (np.uint8, np.float16, np.float32, np.float64) if float(dtype(padding)) == padding)


def interpolated(picture, width, height):
    """Resize an 8-bit picture bilinearly between the four nearest pixels, as OpenCV's INTER_LINEAR does.

    Its arithmetic is that of modules/imgproc/src/resize.cpp: shares of 1/2048, of which the rows' products lose 4 bits
    and the columns' 16, before the last 2 are rounded.

    Returns:
        int64 ``[height, width]`` or ``[height, width, 3]``, 0 to 255.
    """
    pixels = np.asarray(picture).astype(np.int64).reshape(picture.height, picture.width, -1)
    (left, right), across = _places(picture.width, width)
    (top, bottom), down = _places(picture.height, height)
    rows = pixels[:, left] * across[0][:, None] + pixels[:, right] * across[1][:, None] >> 4
    both = (rows[top] * down[0][:, None, None] >> 16) + (rows[bottom] * down[1][:, None, None] >> 16)
    return (both + 2 >> 2).reshape(height, width, *np.shape(picture)[2:])


def _places(old, new):
    """Return for each pixel of a resized line its two neighbours in the old one, and their shares in 1/2048."""
    places = ((np.arange(new) + 0.5) * (1 / (new / old)) - 0.5).astype(np.float32)
    places = np.clip(places, 0, old - 1)
    low = np.floor(places).astype(int)
    second = places - low.astype(np.float32)
    shares = [np.rint(share * 2048).astype(np.int64) for share in (1 - second, second)]
    return (low, np.minimum(low + 1, old - 1)), shares


def _middle(width, height, ratio, part):
    """Return left, top, right, bottom of the largest middle part of a picture with ``ratio`` (width by height)."""
    inner = min(width, height * ratio) * part, min(height, width / ratio) * part
    left, top = (width - inner[0]) / 2, (height - inner[1]) / 2
    return round(left), round(top), round(left + inner[0]), round(top + inner[1])
