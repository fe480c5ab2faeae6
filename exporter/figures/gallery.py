"""All images at once: select a patch anywhere, every image shows its map. The JavaScript side is `figures/gallery.js`."""

from exporter.figures import FigureType

FIGURE = FigureType(
    name="gallery",
    title="Across all images",
    caption=(
        "Point at a patch, or tap it, or use the arrow keys (Shift with an arrow changes the image). Every image lights up where the network"
        " represents it most like that patch; its best match is framed, with the value. Click or Enter pins the patch, Esc clears it."
    ),
)
