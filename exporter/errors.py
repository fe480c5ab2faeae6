"""The errors a user can meet. Each message says what was found, what was expected and what to do."""


class ExportError(Exception):
    """Something went wrong after the command line was understood; commands exit with 1."""

    exit_code = 1


class UsageError(ExportError):
    """The command line itself is wrong (unknown layer, no such path); commands exit with 2."""

    exit_code = 2


class BundleError(ExportError):
    """A bundle is damaged, incomplete, or of a format this version does not read."""


class ModelError(ExportError):
    """A network cannot be read, converted or run."""


def first_line(error: Exception) -> str:
    """The first line of an error's text, or its kind where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
