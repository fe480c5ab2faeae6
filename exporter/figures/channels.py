"""Which channels a patch, or the similarity of two, is made of, where they are active, and the patches that activate them most. The JavaScript side is `figures/channels.js`."""

from exporter.figures import FigureType

FIGURE = FigureType(
    name="channels",
    title="Channel by channel",
    caption=(
        "The channels that say most about the selected patch, each with the patches that activate it most; the images show where one of them is active."
        " Point at a channel to see its map, click it to hold it. Pin a patch and point at another: the channels are then ranked by what they add to the"
        " similarity of the two."
    ),
)
