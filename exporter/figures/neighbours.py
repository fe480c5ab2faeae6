"""Nearest neighbours in feature space, of patches or of images. The JavaScript side is `figures/neighbours.js`."""

from exporter.figures import FigureType

FIGURE = FigureType(
    name="neighbours",
    title="Nearest neighbours",
    caption=(
        "The patches of all images that are most similar to the selected one, best first, with their cosine; or the images most similar to one, by the mean"
        " of their patches. The distance between unit vectors gives the same order: its square is 2\N{NO-BREAK SPACE}\N{MINUS SIGN}\N{NO-BREAK SPACE}2\N{NO-BREAK SPACE}cos."
        " Point at a neighbour to see where it lies; click it to go on from there."
    ),
)
