"""The bundles that answer: each is loaded once for all visitors, who are served in the order in which they ask."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from functools import cache
from itertools import count
from pathlib import Path
from queue import PriorityQueue
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import BundleError
from ..serving.bundle import Bundle, load
from ..serving.image_input import Upload
from ..serving.prediction import Prediction

if TYPE_CHECKING:
    from ..serving.explanation import Explanation

_Answer = TypeVar("_Answer")
_KEPT = 3
_changing = threading.Lock()
_loaded: OrderedDict[Path, tuple[int, Future[Bundle]]] = OrderedDict()

AT_ONCE = 16
"""Images that one visitor is answered before it is another one's turn."""


def load_bundle(path: Path) -> Bundle:
    """The bundle at `path`; loaded again where it was written anew, and the last few are kept.

    Raises
    ------
    BundleError
        It is damaged, changed, foreign or gone.
    """
    stamp = _stamp(path)
    with _changing:  # held for a moment only: who loads one bundle lets visitors of others pass
        entry = _loaded.get(path)
        is_new = entry is None or entry[0] != stamp
        if entry is None or is_new:
            _loaded[path] = entry = (stamp, Future())
        _loaded.move_to_end(path)
        while len(_loaded) > _KEPT:
            _loaded.popitem(last=False)
    if is_new:
        _load(path, entry)
    return entry[1].result()


def _load(path: Path, place: tuple[int, Future[Bundle]]) -> None:
    """Fill its place for all who wait there; one that could not be loaded is tried again."""
    try:
        place[1].set_result(load(path))
    except BaseException as error:
        with _changing:
            if _loaded.get(path) is place:
                del _loaded[path]
        place[1].set_exception(error)


def _stamp(path: Path) -> int:
    manifest = path / "manifest.json"
    try:
        return (manifest if manifest.exists() else path).stat().st_mtime_ns
    except OSError as error:
        raise BundleError("The bundle is no longer there.", received=str(path), fix="reload this page.") from error


def predict(bundle: Bundle, images: Sequence[Upload], level: float) -> list[Prediction]:
    """Predictions of `bundle` for a few images, when it is this visitor's turn."""
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
        self._door = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="answers", daemon=True)
        self._thread.start()

    def wait(self, urgency: int, work: Callable[[], _Answer]) -> _Answer:
        """What `work` returns or raises; the smaller `urgency` comes first."""
        answer: Future[_Answer] = Future()
        with self._door:
            if self._closed:
                raise CancelledError
            self._waiting.put((urgency, next(self._numbers), answer, work))
        return answer.result()

    def close(self) -> None:
        """See `leukobench.app.models.close`."""
        with self._door:  # whoever came in before is still refused by the thread, nobody comes in later
            self._closed = True
        self._waiting.put((-1, next(self._numbers), Future(), str))
        self._thread.join()

    def _work(self) -> None:
        while True:
            *_, answer, work = self._waiting.get()
            if self._closed:
                answer.cancel()
                if self._waiting.empty():
                    return
                continue
            try:
                answer.set_result(work())
            except Exception as error:
                answer.set_exception(error)
            del answer, work  # an idle server holds nobody's image


@cache
def _turns() -> _Turns:
    return _Turns()
