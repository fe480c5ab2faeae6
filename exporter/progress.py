"""How long work tells how far it is: `with progress(label, total) as advance: ... advance()`."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Progress = Callable[[str, int], AbstractContextManager[Callable[[], None]]]


@contextmanager
def silent(label: str, total: int) -> Iterator[Callable[[], None]]:
    """Tell nothing: the default of the Python functions."""
    yield lambda: None
