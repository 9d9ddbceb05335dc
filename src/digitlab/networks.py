"""The Keras architectures, by name. Imported by training and export alone (TensorFlow is heavy)."""

import keras
from keras import layers

from digitlab.frame import STRIP

CLASSES = 11
"""Ten digits and, last, "not a digit"."""

COLUMN_CLASSES = 1 + CLASSES
"""That nothing begins in a column of a strip, and then the same."""

NOT_A_DIGIT = 10


def _convolution(x, filters: int, dtype, size=3, strides: int = 1, padding: str = "same"):
    """Convolution (3x3 unless told), batch normalisation, ReLU."""
    x = layers.Conv2D(filters, size, strides, padding, use_bias=False, dtype=dtype)(x)
    x = layers.BatchNormalization(dtype=dtype)(x)
    return layers.Activation("relu", dtype=dtype)(x)


def compact(dropout: float = 0.2, dtype="float32"):
    """Three pairs of convolutions, of 32, 64 and 128 filters; 295,979 parameters.

    Parameters and what comes out as for `wide`; its embedding is (n, 128).
    """
    return _pairs("compact", ((32, 32), (64, 64), (128, 128)), dropout, dtype)


def wide(dropout: float = 0.2, dtype="float32"):
    """The shipped network: `compact` with 16 filters at first and 160 at last; 394,843 parameters.

    At 28x28 pixels a filter costs most and sixteen of them say nearly all that 32 did; at 7x7
    they cost least.

    Parameters
    ----------
    dropout : share of the embedding dropped in training.
    dtype : Keras dtype policy of the hidden layers; "mixed_bfloat16" trains about twice as
        fast on processors that have bfloat16 instructions.

    Returns
    -------
    keras.Model from ink (n, 28, 28, 1) float32 in 0..1 to a dict of float32 arrays:
        "logits" (n, 11) and "embedding" (n, 160).
    """
    return _pairs("wide", ((16, 32), (64, 64), (160, 160)), dropout, dtype)


def _pairs(name: str, widths: tuple[tuple[int, int], ...], dropout: float, dtype):
    """Pairs of 3x3 convolutions of so many filters each at 28, 14 and 7 pixels.

    The last maps are weighed place by place (global depthwise convolution, Chen et al. 2018,
    MobileFaceNets) instead of averaged, since for a digit it matters where a stroke is.
    """
    ink = keras.Input((28, 28, 1), name="ink")
    x = ink
    for stage, (first, second) in enumerate(widths):
        if stage:
            x = layers.MaxPooling2D(dtype=dtype)(x)
        x = _convolution(_convolution(x, first, dtype), second, dtype)
    x = layers.DepthwiseConv2D(7, use_bias=False, dtype=dtype)(x)
    x = layers.BatchNormalization(dtype=dtype)(x)
    embedding = layers.Flatten(name="embedding", dtype="float32")(x)
    x = layers.Dropout(dropout, dtype="float32")(embedding)
    logits = layers.Dense(CLASSES, name="logits", dtype="float32")(x)
    return keras.Model(ink, {"logits": logits, "embedding": embedding}, name=name)


def _separable(x, filters: int, dilation: int, dtype):
    """Residual depthwise-separable 3x3 convolution, its taps `dilation` places apart."""
    y = layers.DepthwiseConv2D(
        3, padding="same", dilation_rate=dilation, use_bias=False, dtype=dtype
    )(x)
    y = layers.BatchNormalization(dtype=dtype)(y)
    y = layers.Conv2D(filters, 1, use_bias=False, dtype=dtype)(y)
    y = layers.BatchNormalization(dtype=dtype)(y)
    return layers.Activation("relu", dtype=dtype)(layers.Add(dtype=dtype)([x, y]))


def binarizer(side: int = 128, widths: tuple[int, int, int] = (16, 32, 64), dtype="float32"):
    """The network that tells handwriting from everything else on the paper, pixel by pixel.

    A U-Net (Ronneberger, Fischer and Brox 2015) that works at a half, a quarter and an eighth of
    the picture's size; at the smallest, dilated convolutions see 100 pixels around, so that the
    lines of a grid are known by their neighbours.

    Parameters
    ----------
    side : of the square picture in pixels, a multiple of 8.

    Returns
    -------
    keras.Model from "page" (n, side, side, 1) float32, darkness as `binarization.as_input`
        gives it, to a dict of "ink", logits of the same shape.
    """
    fine, middle, coarse = widths
    page = keras.Input((side, side, 1), name="page")
    half = _convolution(_convolution(page, fine, dtype, 4, 2), fine, dtype)
    x = layers.MaxPooling2D(dtype=dtype)(half)
    quarter = _convolution(_convolution(x, middle, dtype), middle, dtype)
    x = _convolution(layers.MaxPooling2D(dtype=dtype)(quarter), coarse, dtype)
    for dilation in (1, 2, 4, 2, 1):
        x = _separable(x, coarse, dilation, dtype)
    for skip, width in ((quarter, middle), (half, fine)):
        x = layers.Conv2D(width, 1, use_bias=False, dtype=dtype)(x)
        x = layers.UpSampling2D(dtype=dtype)(x)
        x = _convolution(layers.Add(dtype=dtype)([x, skip]), width, dtype)
    ink = layers.Conv2DTranspose(1, 4, strides=2, padding="same", dtype="float32", name="ink")(x)
    return keras.Model(page, {"ink": ink}, name="binarizer")


def string_reader(
    width: int | None = None, widths: tuple[int, int, int, int] = (16, 32, 48, 64), dtype="float32"
):
    """The network that reads digits that touch, together: what stands in each column of a strip.

    Convolutions that shrink the height to one pixel and the width to a half, as in the
    convolutional part of Shi, Bai and Yao (2017), "An end-to-end trainable neural network for
    image-based sequence recognition"; then two along the strip instead of a recurrent part.

    Parameters
    ----------
    width : of the strips in pixels, even; None for any.
    widths : filters of the stages.

    Returns
    -------
    keras.Model from "strip" (n, 32, width, 1) float32 in 0..1 to a dict of "columns",
        (n, width / 2, 12) float32 logits: first that nothing begins here, then the ten digits
        and that it is another sign.
    """
    first, second, third, last = widths
    strip = keras.Input((STRIP[0], width, 1), name="strip")
    x = _convolution(_convolution(strip, first, dtype, 5, 2), second, dtype)
    x = layers.MaxPooling2D((2, 1), dtype=dtype)(x)
    x = _convolution(_convolution(x, third, dtype), third, dtype)
    x = layers.MaxPooling2D((2, 1), dtype=dtype)(x)
    x = layers.ZeroPadding2D((0, 1), dtype=dtype)(x)
    x = _convolution(x, last, dtype, (STRIP[0] // 8, 3), padding="valid")
    x = _convolution(_convolution(x, last, dtype, (1, 5)), last, dtype, (1, 7))
    x = layers.Dropout(0.2, dtype="float32")(x)
    x = layers.Conv2D(COLUMN_CLASSES, 1, dtype="float32")(x)
    columns = layers.Reshape((-1, COLUMN_CLASSES), dtype="float32", name="columns")(x)
    return keras.Model(strip, {"columns": columns}, name="string_reader")


ARCHITECTURES = {"compact": compact, "wide": wide}


def build(name: str, **options):
    """A new, untrained network. Raises KeyError for a name that is not in ARCHITECTURES."""
    return ARCHITECTURES[name](**options)
