"""An image under a series of transformations: a patch selected on any version is found again on all. The JavaScript side is `figures/transforms.js`."""

from exporter.figures import FigureType

FIGURE = FigureType(
    name="transforms",
    title="Under transformations",
    caption=(
        "One image, transformed step by step. Select a patch on any version: yellow outlines show where the same piece of the image lies on the others,"
        " and the chart how similar it is there, beside the best match and the patch at the same place. Point at the chart to compare with another"
        " step. By keyboard: arrows move, Shift with an arrow changes the version; the chart has a Tab stop of its own."
    ),
)
