"""The bundles that answer: each is loaded once for all visitors, who are served in the order in which they ask."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from functools import cache
from itertools import count
from pathlib import Path
from queue import PriorityQueue
from typing import TYPE_CHECKING, Any, TypeVar

from ..serving.bundle import Bundle, load
from ..serving.prediction import Prediction, Upload

if TYPE_CHECKING:
    from ..serving.explanation import Explanation

_Answer = TypeVar("_Answer")
_loading = threading.Lock()
_loaded: dict[Path, tuple[int, Bundle]] = {}

AT_ONCE = 16
"""Images that one visitor is answered before it is another one's turn."""


def load_bundle(path: Path) -> Bundle:
    """The bundle at `path`; loaded again where it was made anew.

    Raises
    ------
    BundleError
        It is damaged, changed or foreign.
    """
    manifest = path / "manifest.json"
    stamp = (manifest if manifest.exists() else path).stat().st_mtime_ns
    with _loading:
        known = _loaded.get(path)
        if known is None or known[0] != stamp:
            _loaded[path] = known = (stamp, load(path))
    return known[1]


def predict(bundle: Bundle, images: Sequence[Upload], level: float) -> list[Prediction]:
    """What `bundle` says of a few images, when it is this visitor's turn."""
    return _turns().wait(0, lambda: list(bundle.predict(images, level=level)))


def explain(bundle: Bundle, image: Upload, level: float) -> Explanation:
    """What moved the decision for one image, when nobody waits for an answer, which takes a hundredth of the time."""
    return _turns().wait(1, lambda: bundle.explain(image, level=level))


def close() -> None:
    """Finish the work at hand and refuse what waits, so that no thread is cut off inside native code at exit."""
    if _turns.cache_info().currsize:
        _turns().close()


class _Turns:
    """One piece of work at a time, since each uses all cores: the urgent first, else in order. Nobody is refused."""

    def __init__(self) -> None:
        self._waiting: PriorityQueue[tuple[int, int, Future[Any], Callable[[], Any]]] = PriorityQueue()
        self._numbers = count()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="answers", daemon=True)
        self._thread.start()

    def wait(self, urgency: int, work: Callable[[], _Answer]) -> _Answer:
        """What `work` returns or raises; the smaller `urgency` comes first."""
        if self._closed:
            raise CancelledError
        done: Future[_Answer] = Future()
        self._waiting.put((urgency, next(self._numbers), done, work))
        return done.result()

    def close(self) -> None:
        """See `leukobench.app.models.close`."""
        self._closed = True
        self._waiting.put((-1, next(self._numbers), Future(), str))
        self._thread.join()

    def _work(self) -> None:
        while True:
            *_, done, work = self._waiting.get()
            if self._closed:
                done.cancel()
                if self._waiting.empty():
                    return
                continue
            try:
                done.set_result(work())
            except Exception as error:
                done.set_exception(error)
            del done, work  # an idle server holds nobody's image


@cache
def _turns() -> _Turns:
    return _Turns()
