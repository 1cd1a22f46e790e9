"""When garbage is looked for."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_for_good() -> Iterator[None]:
    """No garbage is looked for while very many values are made that stay, nor among them afterwards."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
