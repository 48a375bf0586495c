"""One registry for every family: names that leukobench ships, plug-ins by entry point, and dotted names."""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from .errors import ConfigurationError, LeukobenchError, UnknownNameError
from .plugins.importing import load
from .plugins.places import code_of
from .storage import digest, file_digest

_PACKAGE = "leukobench."
_HAVE: dict[str, tuple[tuple[str, ...], ...]] = {
    "extractor": (("transform",), ("description", "read", "open"), ("builder", "preprocessing")),
    "selector": (("fit",),),
    "classifier": (("fit",),),
    "cnn": (("fit",),),
    "network": (("builder", "preprocessing"),),
    "layout": (("matches", "read"),),
}
"""Family -> what an object or class has that a dotted name may lead to, in one of these ways.

Nothing else is called, because to call a class or function by a name in a file may do anything. Other families have no
dotted names.
"""
_Method = TypeVar("_Method", bound=Callable[..., Any])


def declares(
    *, search_space: Mapping[str, Sequence[Any]], stored_types: Sequence[str] = (), large_data_variant: str = ""
) -> Callable[[_Method], _Method]:
    """Decorator of a selector or classifier: what its signature cannot say.

    Parameters
    ----------
    search_space : mapping of str to sequence
        Parameters that tuning searches, and their values, the default first; empty where there is nothing to choose.
    stored_types : sequence of str
        Types that a bundle holds of it, such as ``"sklearn.svm._classes.SVC"``, beside the class itself. Read of what
        leukobench ships alone.
    large_data_variant : str
        Classifier that is fitted in its place to very many images: one whose cost does not grow with their square.
    """

    def declare(method: _Method) -> _Method:
        for name, value in (
            ("search_space", search_space), ("stored_types", stored_types), ("large_data_variant", large_data_variant)
        ):  # fmt: skip
            setattr(method, name, value)
        return method

    return declare


class Registry:
    """Names of one family (extractors, selectors, classifiers, layouts) and the objects they stand for.

    An item is either an object or a string ``"package.module:attribute"`` that is imported when it is first asked for,
    so that listing names costs no heavy import.

    Parameters
    ----------
    family : str
        Singular name used in messages, such as ``"classifier"``.
    listed_as : str, optional
        FAMILY of ``leukobench list`` that shows the names; the plural of `family` by default.

    Notes
    -----
    An installed package adds a name through the entry-point group ``leukobench.<family>s``. A name with a colon or a
    dot, such as ``"mypackage.models:Forest"`` or ``"sklearn.svm.NuSVC"``, is imported where `leukobench.plugins` allows
    it, and has to lead to what the family is made of, or to a function that `declares` marks.
    """

    def __init__(self, family: str, listed_as: str = "") -> None:
        self.family, self.listed_as = family, listed_as or f"{family}s"
        self._items: dict[str, Any] = {}

    def add(self, name: str, item: Any) -> None:
        """Register `item` under `name`; a name can be given only once."""
        if name in self._items:
            raise ConfigurationError(f"The {self.family} name '{name}' is taken already.")
        self._items[name] = item

    def names(self) -> list[str]:
        """All names, including those of plug-ins, in order of registration."""
        return list(self._items) + [name for name in self._plugins() if name not in self._items]

    def shipped_names(self) -> list[str]:
        """Names that belong to leukobench itself."""
        return list(self._items)

    def ships(self, name: str) -> bool:
        """Whether `name` belongs to leukobench itself, rather than to a plug-in."""
        return name in self._items

    def get(self, name: str) -> Any:
        """Return the object called `name`.

        Raises
        ------
        UnknownNameError
            The name is neither registered, nor an entry point, nor an importable dotted name.
        CodeNotAllowedError
            A dotted name leads to code of the user's own that is not allowed, or to Python itself.
        ConfigurationError
            A dotted name leads to something else than the family is made of.
        """
        if name in self._items:
            item = self._items[name]
            return _import(item, self.family, _installed) if isinstance(item, str) else item
        plugins = self._plugins()
        if name in plugins:
            return _import(plugins[name].value, self.family, _installed)
        if (":" in name or "." in name) and self.family in _HAVE:
            item = _import(name, self.family, load)
            self._check_kind(name, item)
            return item
        nearest = difflib.get_close_matches(name, self.names(), n=3, cutoff=0.5)
        raise UnknownNameError(
            f"There is no {self.family} called '{name}'.",
            expected=", ".join(self.names()) + self._or_dotted(),
            received=name,
            fix=f"did you mean {' or '.join(nearest)}?" if nearest else self._see_list(),
        )

    def parameters(self, name: str) -> dict[str, Any]:
        """Keyword parameters of `name` and their defaults, from its signature; ``...`` where there is no default."""
        item = self.get(name)
        try:
            signature = inspect.signature(item).parameters.values()
        except (TypeError, ValueError) as error:
            raise ConfigurationError(
                f"'{name}' is not a {self.family}.", expected="a class or function with parameters", received=repr(item)
            ) from error
        keywords = [p for p in signature if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]
        bound = item.keywords if isinstance(item, functools.partial) else {}
        defaults = {p.name: ... if p.default is p.empty else p.default for p in keywords if p.name not in bound}
        if any(p.kind == p.VAR_KEYWORD for p in signature) and hasattr(item, "get_params"):
            defaults |= item().get_params()  # such as xgboost.XGBClassifier, which takes most of its parameters so
        return defaults

    def check(self, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Refuse a name, or a parameter's name, that there is not; else as `parameters`. Nothing is made.

        Raises
        ------
        ConfigurationError
        """
        defaults = self.parameters(name)
        for parameter in parameters:
            if parameter not in defaults:
                nearest = [default for default in defaults if default.lower() == parameter.lower()]
                nearest = nearest or difflib.get_close_matches(parameter, defaults, n=1)
                raise ConfigurationError(
                    f"The {self.family} '{name}' has no parameter '{parameter}'.",
                    expected=", ".join(defaults) or "no parameters",
                    received=parameter,
                    fix=f"did you mean {nearest[0]}?" if nearest else self._see_list(),
                )
        return defaults

    def make(self, name: str, parameters: Mapping[str, Any], offered: Mapping[str, Any] | None = None) -> Any:
        """Call the object `name` with the user's `parameters`, and with those of `offered` that it accepts.

        Raises
        ------
        ConfigurationError
            A parameter is unknown or its value is refused.
        """
        defaults = self.check(name, parameters)
        accepted = {key: value for key, value in (offered or {}).items() if key in defaults and key not in parameters}
        try:
            instance = self.get(name)(**parameters, **accepted)
            _validate(instance)
        except LeukobenchError:
            raise
        except Exception as error:
            raise ConfigurationError(
                f"The {self.family} '{name}' refuses its parameters.",
                received=f"{dict(parameters)}: {error or type(error).__name__}",
                fix=self._see_list(),
            ) from error
        return instance

    def module(self, name: str) -> str:
        """Module of leukobench that defines `name`, such as ``"classifiers.svm"``; empty for what others define.

        Nothing is imported for it.
        """
        item = self._items.get(name, name)
        ours = isinstance(item, str) and item.startswith(_PACKAGE)
        return item.removeprefix(_PACKAGE).replace(":", ".").rpartition(".")[0] if ours else ""

    def stored_types(self) -> frozenset[str]:
        """Types that a bundle may hold of the names that leukobench ships: their own classes and what they declare."""
        items = [self.get(name) for name in self.shipped_names()]
        own = {f"{item.__module__}.{item.__qualname__}" for item in items if isinstance(item, type)}
        return frozenset(own.union(*(getattr(item, "stored_types", ()) for item in items)))

    def dotted(self, name: str) -> str:
        """The dotted name behind the name of a plug-in; any other name as it is."""
        plugins = self._plugins()
        return str(plugins[name].value) if name in plugins else name

    def source_digest(self, name: str) -> str:
        """SHA-256 of the source that defines `name`, so that results are not reused after it was edited.

        That is its file and, outside the folders of installed packages, what `Code.digest` covers: it is the same
        whatever else was imported before.
        """
        item, module = self.get(name), self.dotted(name).replace(":", ".").rpartition(".")[0]
        try:
            file = inspect.getsourcefile(inspect.unwrap(item))
        except TypeError:  # neither class nor function, such as a `Metric`: the module that holds it
            file = getattr(sys.modules.get(module), "__file__", None)
        if not file:
            return ""
        code = None if "site-packages" in Path(file).parts or self.module(name) else code_of(module)
        return code.digest if code else digest([file_digest(Path(file))])

    def _check_kind(self, name: str, item: Any) -> None:
        core, ways = item.func if isinstance(item, functools.partial) else item, _HAVE[self.family]
        marked = inspect.isfunction(core) and hasattr(core, "search_space")
        fits = any(all(hasattr(core, part) for part in way) for way in ways)
        if marked or (fits and not inspect.isroutine(core)):
            return
        ends = " or ".join(", ".join(way) for way in ways)
        raise ConfigurationError(
            f"'{name}' is not a {self.family}.",
            expected=f"a class or object with {ends}; or a function that leukobench.registry.declares marks",
            received=f"{type(core).__name__} {getattr(core, '__qualname__', '')}; it was not called",
            fix=self._see_list(),
        )

    def _or_dotted(self) -> str:
        return f"; or a dotted name such as package.module:{self.family.title()}" if self.family in _HAVE else ""

    def _see_list(self) -> str:
        return f"see `leukobench list {self.listed_as}`."

    def _plugins(self) -> dict[str, Any]:
        from importlib.metadata import entry_points  # slow to import, and seldom needed

        return {point.name: point for point in entry_points(group=f"leukobench.{self.family}s")}


def _validate(estimator: Any) -> None:
    """Check the parameters of scikit-learn's estimators now, not in every fit."""
    parts = [estimator, *(estimator.get_params().values() if hasattr(estimator, "get_params") else ())]
    for part in parts:
        if hasattr(part, "_parameter_constraints") and not isinstance(part, type):
            part._validate_params()


def _installed(dotted: str) -> Any:
    module, _, attribute = dotted.replace(":", ".").rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def _import(dotted: str, family: str, imported: Callable[[str], Any]) -> Any:
    try:
        return imported(dotted)
    except LeukobenchError:
        raise
    except Exception as error:  # a plug-in's file may hold any mistake
        raise UnknownNameError(
            f"The {family} '{dotted}' cannot be imported: {type(error).__name__}: {error}.",
            expected="package.module:Name, installed or in a folder that `plugins:` names",
            received=dotted,
            fix="install the package in the same environment, name its folder, or correct the name.",
        ) from error
