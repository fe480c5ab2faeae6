"""Sub-folders as classes: the images of one, and how similar each class is to the selected patch. The JavaScript side is `figures/classes.js`."""

from exporter.figures import FigureType

FIGURE = FigureType(
    name="classes",
    title="Class by class",
    caption=(
        "The images of one class, and for every class how similar it is to the selected patch: the best match on any of its images, and the mean"
        " over all their patches. Pin a patch and choose another class: the image that it is on comes along. By keyboard: arrows move, Shift with"
        " an arrow changes the image, Enter pins."
    ),
)
