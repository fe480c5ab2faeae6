"""Two images: select a patch on the left, see its map on the right. The JavaScript side is `figures/pair.js`."""

from exporter.figures import FigureType

FIGURE = FigureType(
    name="pair",
    title="Two images, side by side",
    caption=(
        "Select a patch of the left image; the right one shows how similar each of its patches is. Choose the same image twice to see"
        " how it resembles itself."
    ),
)
