"""What a layer's features are made of: the map of factors under every overlay. The JavaScript side is `figures/factors.js`."""

from exporter.figures import FigureType

FIGURE = FigureType(
    name="factors",
    title="What the features are made of",
    caption=(
        "Every image twice: above, what is similar to the selected patch; below, a few factors that, added up, make the features of every patch,"
        " each in a colour of its own, strong where it is. Point at a factor to see it alone, click it to hold it, or try the patches beside it,"
        " which have the most of it."
    ),
)
