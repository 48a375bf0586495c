"""Levels: what the folders of a data set mean, as far as their names tell; where they do not, the user is asked."""

from __future__ import annotations

import glob
import re
import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..errors import ImagesError
from .files import FileList, Listing, Row
from .masks import says_mask
from .shapes import ANY, CLASS
from .tables import lists_images, table_advice

_NUMBER = r"([-_ #]*(id|no|nr)?[-_ #]*\d\w*|[-_ #]+\w*\d\w*)"
_MARK = r"([-_ ].+|[-_ ]?\d+|[-_ ]?[a-z])?"
_KINDS = {
    "split": r"(.+[-_ .])?(train|test|val|valid|validate|validation|eval|evaluation|dev|pred|holdout|hold[-_ ]out)"
    r"(ing)?([-_ ]?(set|data|[a-z]|\d+))?([-_ ].*)?|(sub)?set" + _MARK,
    "fold": r"(.+[-_ ])?(cv|k)?(fold|part|partition|chunk)s?[-_ ]?\d+|\d+[-_ ]?folds?",
    "magnification": r"\d+([.,]\d+)?[-_ ]?x|x[-_ ]?\d+|mag(nification)?[-_ ]?\d+x?",
    "patient": r"(.+[-_ ])?(patients?|pat|subjects?|subj|cases?|persons?|participants?|donors?|individuals?|animals?|"
    r"slides?)" + _NUMBER + r"|sub-\w+|p[-_ ]?\d+|(patient|subject|donor|person)[-_ ][a-z]",
    "site": r"(site|hospital|center|centre|clinic|lab|scanner|source|cohort|batch|data[-_ ]?set|institut(e|ion)|camera|"
    r"microscope|device|stain)(s|es)?" + _MARK,
    "content": r"images?|imgs?|pictures?|photos?|photographs?|crops?|raw|original|left|right|"
    r"(19|20)\d\d([-_ ]?\d\d){0,2}",
}
"""Names of folders that are hardly classes, by what they mean; the whole name has to match, in any case."""
_SPLITS = re.compile(r"(train|test|val|valid|validate|validation|eval|dev)(ing)?([-_ ].*)?", re.IGNORECASE)
"""Names of splits that leave no doubt."""
_NEVER_CLASSES = {"split", "fold", "patient"}
_MEANINGS = {
    "split": "splits (column split)",
    "fold": "folds (column fold)",
    "patient": "patients, each on one side of every fold",
    "group": "groups, such as patients, each on one side of every fold",
    "site": "sites or sources (column site)",
    "magnification": "magnifications (column magnification; any word makes a column)",
}
_USUAL = ("split", "group", "site")
_SHOWN = 5


def kind_of(name: str) -> str:
    """What the name of a folder says that it is: split, fold, magnification, patient, site, content, or ''."""
    return next((kind for kind, pattern in _KINDS.items() if re.fullmatch(pattern, name, re.IGNORECASE)), "")


@dataclass(frozen=True)
class _Tree:
    """The top folders, and what is in them.

    Attributes
    ----------
    above : int
        Levels above the top folders, which hold one folder each.
    between : list of str
        What the levels mean between the top folders and the names in `below`.
    below : dict of str to set of str
        Top folder -> names of the folders in it that hold images; '' for images that lie in it directly.
    """

    above: int
    between: list[str]
    below: dict[str, set[str]]

    def words(self, meaning: str = "") -> list[str]:
        """What each level means: the class at the top, or below a level with this meaning."""
        return [ANY] * self.above + ([meaning, *self.between] if meaning else []) + [CLASS]

    def named(self, top: str) -> set[str]:
        """Folders in one of the top folders."""
        return self.below[top] - {""}

    def repeated(self) -> list[str]:
        """Top folders that hold nothing but folders of the names of other top folders: often a second copy of all."""
        return [top for top in sorted(self.below) if self.named(top) and self.named(top) <= set(self.below) - {top}]

    def telling(self) -> list[str]:
        """Names that could be classes, of folders in several top folders."""
        return [name for name in self.shared() if not kind_of(name)]

    def shared(self) -> list[str]:
        """Names of folders in several top folders."""
        counts = Counter(name.casefold() for top in self.below for name in self.named(top))
        return sorted({name for top in self.below for name in self.named(top) if counts[name.casefold()] > 1})


def read_levels(files: FileList) -> str:
    """Return the shape of the folders, such as ``class`` or ``split/class``.

    Raises
    ------
    ImagesError
        They can be read in several ways; the message names the option for each.
    """
    folders = sorted({tuple(path.split("/")[:-1]) for path in files.images if "/" in path})
    outer: list[str] = []
    tree = _tree(folders)
    if len(tree.below) > 1 and all(map(_SPLITS.fullmatch, tree.below)) and any(map(tree.named, tree.below)):
        outer = [*tree.words("split")[: tree.above + 1], *filter(ANY.__eq__, tree.between)]
        folders = sorted({folder[len(outer) :] for folder in folders if len(folder) > len(outer)})
        tree = _tree(folders)
    reason = _doubt(tree)
    if reason:
        raise _several_readings(files, tree, outer, reason)
    return "/".join(outer + tree.words())


def _tree(folders: Collection[tuple[str, ...]]) -> _Tree:
    above = 0
    while _wrapped(folders):
        folders, above = [folder[1:] for folder in folders], above + 1
    between: list[str] = []
    while _single(_below(folders, len(between))) and any(len(folder) > len(between) + 2 for folder in folders):
        between.append(ANY)
    tree = _Tree(above, between, _below(folders, len(between)))
    kinds = {kind_of(name) for top in tree.below for name in tree.named(top)}
    if len(kinds) == 1 and kinds <= set(_MEANINGS):  # all are patients, say: the classes may be above or below them
        below = _Tree(above, [*between, *kinds], _below(folders, len(between) + 1))
        return below if len(below.telling()) > 1 else tree
    return tree


def _wrapped(folders: Collection[tuple[str, ...]]) -> bool:
    """Whether all are in one folder that holds classes, not images or the patients of one class."""
    if len(folders) < 2 or len({folder[0] for folder in folders}) > 1 or min(map(len, folders)) < 2:
        return False
    return any(len(folder) > 2 or not kind_of(folder[1]) for folder in folders)


def _single(below: dict[str, set[str]]) -> bool:
    """Whether each top folder holds one folder that means nothing; a patient alone in a split is still a patient."""
    return all(len(names) == 1 and kind_of(*names) != "patient" for names in below.values())


def _below(folders: Iterable[tuple[str, ...]], between: int) -> dict[str, set[str]]:
    below: dict[str, set[str]] = {}
    for folder in folders:
        below.setdefault(folder[0], set()).add(folder[1 + between] if len(folder) > 1 + between else "")
    return below


def _doubt(tree: _Tree) -> str:
    """Why the top folders may not be the classes, or ''."""
    tops = sorted(tree.below)
    kinds = {top: kind_of(top) for top in tops}
    if len(tops) < 2:
        return ""
    shared = tree.shared()
    if len(tree.telling()) > 1 or (len(shared) > 1 and any(kinds[top] not in {"", "content"} for top in tops)):
        return f"{_listed(tops)} hold folders of the same names, {_listed(shared)}"
    named = set(kinds.values())
    inside = any(len([name for name in tree.named(top) if not kind_of(name)]) > 1 for top in tops)
    patients = [top for top in tops if kinds[top] == "patient"]
    if named <= _NEVER_CLASSES or (named <= set(_MEANINGS) and inside) or len(patients) > 1:
        like = patients if len(patients) > 1 else tops
        return f"{_listed(like)} are named like {_plural(kinds[top] for top in like)}, not like classes"
    for top in tops:
        inner = [name for name in tree.named(top) if not kind_of(name)]
        if kinds[top] in _NEVER_CLASSES and len(inner) > 1:
            return f"{top} is named like a {kinds[top]} and holds folders, {_listed(sorted(inner))}"
    if repeated := tree.repeated():
        return f"{repeated[0]} holds folders that stand beside it too, {_listed(sorted(tree.named(repeated[0])))}"
    return ""


def _several_readings(files: FileList, tree: _Tree, outer: list[str], reason: str) -> ImagesError:
    readings = list(_readings(files, tree, outer))
    width = max(len(option) for option, _ in readings)
    listed = "".join(f"\n    {option:<{width}}  {words}" for option, words in readings)
    listed += f"\n    {advice}" if lists_images(advice := table_advice(files)) else ""
    return ImagesError(
        f"The folders below {files.folder} can be read in more than one way.",
        expected="top folders that are plainly the classes",
        received=reason,
        fix=f"choose what is true (in an experiment file, under `images:`, `layout: …`), or write a manifest:{listed}",
    )


def _readings(files: FileList, tree: _Tree, outer: list[str]) -> Iterator[tuple[str, str]]:
    """The option for each reading, and what it means."""
    tops = sorted(tree.below)
    classes = sorted({name for top in tops for name in tree.named(top)})
    kinds = [kind for top in tops if (kind := kind_of(top)) in _MEANINGS]
    meanings = dict.fromkeys([kind for kind, _ in Counter(kinds).most_common(1)] + list(_USUAL))
    if "patient" in [*meanings, *tree.between]:
        meanings.pop("group")
    copies = dict.fromkeys(tree.repeated(), "a second copy of the rest")
    masks = {top: "if it holds masks or the like" for top in tops if says_mask(top)}
    for top, reason in (copies | (masks if len(masks) < len(tops) else {})).items():
        pattern = "*/" * (len(outer) + tree.above) + glob.escape(top) + "/*"
        yield f"--exclude-files {shlex.quote(pattern)}", f"without {top}, {reason}"
    for meaning in meanings:
        if classes and meaning not in [*outer, *tree.between]:
            option = "/".join(outer + tree.words(meaning))
            yield f"--layout {option}", f"classes: {_listed(classes)}; {_listed(tops)}: {_MEANINGS[meaning]}"
    yield f"--layout {'/'.join(outer + tree.words())}", f"classes: {_listed(tops)}"
    if not outer and not kinds and all(map(tree.named, tops)) and len(versions := _versions(files, tree)) > 1:
        folder = files.folder.joinpath(*_common(files, tree))
        yield str(folder / versions[0]), f"this folder, or {_listed(versions[1:])}, alone: their files have equal names"


def _common(files: FileList, tree: _Tree) -> list[str]:
    first = next(path for path in files.images if path.count("/") > tree.above)
    return first.split("/")[: tree.above]


def _versions(files: FileList, tree: _Tree) -> list[str]:
    """Top folders of which most files have the same path and name, but for the extension, in another one."""
    stems: dict[str, set[str]] = {top: set() for top in tree.below}
    for path in files.images:
        top, _, rest = path.split("/", tree.above)[-1].partition("/")
        if top in stems:
            stems[top].add(rest.rpartition(".")[0])
    counts = Counter(stem for inside in stems.values() for stem in inside)
    return [top for top, inside in stems.items() if 2 * sum(counts[stem] > 1 for stem in inside) > len(inside)]


def _plural(kinds: Iterable[str]) -> str:
    return " or ".join(f"{kind}s" for kind in sorted(set(kinds)))


def _listed(names: Collection[str]) -> str:
    shown = list(names)[:_SHOWN]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(shown) + more


def remark(shape: str, rows: Sequence[Row]) -> str:
    """A sentence on folders that are not just classes, or ''."""
    if shape == CLASS:
        return ""
    classes = _listed(sorted({row.label for row in rows}))
    splits = sorted({row.columns["split"] for row in rows if "split" in row.columns})
    own = f" Splits by their names: {_listed(splits)}." if splits else ""
    return f"The folders are read as {shape}: the classes are {classes}.{own}{_unlabelled(rows, splits)}"


def _unlabelled(rows: Sequence[Row], splits: Sequence[str]) -> str:
    """A sentence on a split all of whose images are in one folder, called like no class elsewhere, or ''."""
    labels = {split: {row.label for row in rows if row.columns["split"] == split} for split in splits}
    for split, inside in labels.items():
        others = set().union(*(labels[other] for other in splits if other != split))
        if len(inside) == 1 and len(others) > 1 and not inside & others:
            name = next(iter(inside))
            option = f"--exclude-class {shlex.quote(name)}"
            return f" {split} holds {name} alone: if that is no class, leave it out with {option}."
    return ""


def advice(listing: Listing, automatic: bool = False) -> str:
    """A sentence on folders below the classes that the reading leaves out, or ''.

    Parameters
    ----------
    listing : Listing
    automatic : bool
        Nobody chose this reading: folders whose names mean nothing are named, too.
    """
    if not listing.shape:
        return ""
    depth = listing.shape.count("/") + 1
    below = {"".join(row.path.split("/")[depth:-1][:1]) for row in listing.rows}
    inner = sorted(below - {""})
    kinds = {kind_of(name) for name in inner}
    kind = kinds.pop() if len(kinds) == 1 else ""
    if kind not in {"", "content", *listing.shape.split("/")} and (kind != "patient" or listing.patients == "none"):
        gain = "keeps each on one side of every fold" if kind == "patient" else f"keeps them as the column {kind}"
        return (
            f"Folders below the classes are named like {kind}s: {_listed(inner)}. "
            f"--layout {listing.shape}/{kind} {gain}."
        )
    if automatic and not kind and inner and len(below) > 1 and listing.patients == "none":
        deeper = listing.shape.removesuffix(CLASS) + f"{ANY}/{CLASS}"
        return (
            f"Folders below the classes are passed over: {_listed(inner)}. If they are patients, "
            f"--layout {listing.shape}/patient keeps each on one side of every fold; if they are the classes, "
            f"--layout {deeper} says so."
        )
    return ""
