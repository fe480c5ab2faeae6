"""Patches and images as points in the plane, beside the images that they are of. The JavaScript side is `figures/map.js`."""

from exporter.figures import FigureType

FIGURE = FigureType(
    name="map",
    title="A map of the patches",
    caption=(
        "Every dot is a patch: what the network finds alike lies close together. Point at a dot to see its patch, or at a patch to see its dot; draw a"
        " lasso or a box around some, and they light up on the images. By keyboard: arrows go from dot to dot, Shift with an arrow draws a box,"
        " Enter pins, Esc clears."
    ),
)
