"""One image as several layers see it, a panel for each: a patch selected on one is selected on all. The JavaScript side is `figures/layers.js`."""

from exporter.figures import FigureType

FIGURE = FigureType(
    name="layers",
    title="Layer by layer",
    caption=(
        "One image, a panel for each layer. The patch selected on one panel is selected at the same place on all, and each shows what its layer"
        " finds similar; the colours of every layer span a range of its own. Pin a patch, then point elsewhere to read its value in all layers."
        " By keyboard: arrows move, Shift with an arrow changes the layer."
    ),
)
