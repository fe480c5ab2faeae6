"""A layer's first three principal components as colours, under every overlay. The JavaScript side is `figures/pca.js`."""

from exporter.figures import FigureType

FIGURE = FigureType(
    name="pca",
    title="What varies most, as colours",
    caption=(
        "Every image twice: above, what is similar to the selected patch; below, its patches in colours. Red, green and blue are the three directions in"
        " which the features of all images differ most, so the same colour means the same on every image."
    ),
)
