"""Networks: a frozen spec for each, with builders and weights."""

from __future__ import annotations

import difflib

from ..errors import ConfigurationError, UnknownNameError
from ..registry import Registry
from .applications import applications
from .network import Network, Preprocessing
from .shipped import shipped_networks

__all__ = ["NETWORKS", "Network", "Preprocessing", "get_network"]

NETWORKS = Registry("network", listed_as="extractors")
for _network in shipped_networks():
    NETWORKS.add(_network.name, _network)


def get_network(name: str) -> Network:
    """Return the spec of a shipped network, of any network of ``keras.applications``, or of a plug-in.

    Parameters
    ----------
    name : str
        Such as ``"efficientnet_lite0"``, ``"resnet50v2"`` or ``"mypackage.networks:SPEC"``; networks of
        ``keras.applications`` in any case.

    Returns
    -------
    Network
        The spec; neither Keras nor a backend is imported for it.

    Raises
    ------
    UnknownNameError
        There is no such network.
    ConfigurationError
        The plug-in is not a `Network`.
    """
    specs = {**applications(), **{network.name: network for network in shipped_networks()}}
    if name.lower() in specs:
        return specs[name.lower()]
    if name not in NETWORKS.names() and not set(":.") & set(name):
        raise _unknown(name, list(specs))
    network = NETWORKS.get(name)
    if not isinstance(network, Network):
        raise ConfigurationError(f"'{name}' is not a network.", expected="a Network", received=repr(network))
    return network


def _unknown(name: str, names: list[str]) -> UnknownNameError:
    nearest = _nearest(name.lower(), [*NETWORKS.names(), *names])
    return UnknownNameError(
        f"There is no network called '{name}'.",
        expected=", ".join(NETWORKS.names()) + "; any network of keras.applications; or package.module:SPEC",
        received=name,
        fix=f"did you mean {' or '.join(nearest)}?" if nearest else "see `leukobench list extractors`.",
    )


def _nearest(name: str, names: list[str]) -> list[str]:
    """Up to three names like this one, first a bundled network, which needs no download."""
    near = list(dict.fromkeys(difflib.get_close_matches(name, names, n=12, cutoff=0.5)))
    bundled = [network.name for network in shipped_networks() if network.bundled]
    first = [one for one in [*near, *bundled] if one in bundled and (one in near or name in one)][:1]
    return [*first, *(one for one in near if one not in first)][:3]
