"""A lock for objects that may be copied and pickled."""

import threading
from typing import Any


class OwnLock:
    """A lock as a context manager; a copy or pickle of its owner has a new one, open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: Any) -> None:
        self._lock.release()

    def __reduce__(self) -> tuple[type["OwnLock"], tuple[()]]:
        return OwnLock, ()
