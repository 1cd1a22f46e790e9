"""Files of secrets that an installation makes for itself: written once and whole, read by their owner alone."""

import os
from collections.abc import Callable
from pathlib import Path


class KeyFileError(Exception):
    """A key cannot be read or trusted: the start stops.

    The text says which file or setting, what was seen, what was expected and what to do; never a part of a key.
    """


def read_or_make_key_file(path: Path, fresh: Callable[[], str], harm: str) -> str:
    """The text of the file; when it is not there it is made of `fresh()` (mode 0600, whole or not at all).

    Several processes may do this at once: one of them makes the file, all read the same. KeyFileError when it cannot
    be read, or when others than its owner may read it; `harm` is what they could do then.
    """
    try:
        if not path.exists():
            _make(path, fresh())
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            raise KeyFileError(
                f"{path} has mode {mode:04o}, expected 0600: others could {harm}. Run: chmod 600 {path}"
            )
        return path.read_text()
    except OSError as error:
        raise KeyFileError(
            f"{path} cannot be read or made ({error.strerror}); expected a file that this user may read. Check its"
            " owner and that of its folder"
        ) from error
    except UnicodeDecodeError as error:
        raise KeyFileError(f"{path} is no text, expected JSON. Restore it from a backup") from error


def unusable_key_file(path: Path, seen: str, expected: str, loss: str) -> KeyFileError:
    """The error of a file whose text is no key; `loss` is what stops working when a new one is made."""
    return KeyFileError(
        f"{path} holds no usable key: {seen}; expected {expected}. Restore it from a backup, or move it away and start"
        f" again: a new one is made, and {loss}"
    )


def _make(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(own, path)
    except FileExistsError:
        pass  # another process was first; its key is read
    finally:
        own.unlink()
