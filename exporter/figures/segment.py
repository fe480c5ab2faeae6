"""Masks from few examples: the foreground of support images, and what the others have of it. The JavaScript side is `figures/segment.js`."""

from exporter.figures import FigureType

FIGURE = FigureType(
    name="segment",
    title="Segment by example",
    caption=(
        "Paint what you mean on one image, and the network finds it on the others: patches whose features are similar enough to those you painted are shown in"
        " colour. No mask was learned. Move the threshold, compare layers, or take more images as examples."
    ),
)
