"""All images at once: select a patch anywhere, every image shows its map. The JavaScript side is `figures/gallery.js`."""

from exporter.figures import FigureType

FIGURE = FigureType(
    name="gallery",
    title="Across all images",
    caption=(
        "The best matches are framed, with their values. A click, a second tap or Enter pins the patch, Esc clears it."
        " By keyboard: arrows move, Shift with an arrow changes the image."
    ),
)
