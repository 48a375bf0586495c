"""What the server is told, and what it refuses before it listens."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from leukobench.app.launch import serve
from leukobench.app.target import find_target, read_target
from leukobench.errors import ConfigurationError


def test_each_kind_is_known_by_its_files(results: Path, tmp_path: Path) -> None:
    assert (find_target(results).kind, find_target(results).results) == ("runs", results)
    run = find_target(results / "small")
    assert (run.kind, run.runs(), run.results) == ("run", [results / "small"], None)
    (tmp_path / "manifest.json").write_text("{}")
    assert (find_target(tmp_path).kind, find_target(tmp_path).runs()) == ("bundle", [])


def test_pages_learn_what_was_published(results: Path, smears: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUKOBENCH_APP", "")
    target = find_target(results / "small", [smears], results)
    target.publish()
    assert read_target() == target


def test_a_page_without_a_server_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEUKOBENCH_APP", raising=False)
    with pytest.raises(ConfigurationError, match="without a bundle or run"):
        read_target()


def test_results_may_be_absent_where_benchmarks_can_be_started(smears: Path, tmp_path: Path) -> None:
    assert find_target(tmp_path / "none", [smears]).results == tmp_path / "none"
    with pytest.raises(ConfigurationError, match="nothing to show"):
        find_target(tmp_path / "none")
    with pytest.raises(ConfigurationError, match="is not a folder"):
        find_target(tmp_path, [tmp_path / "none"])


def test_a_taken_port_and_an_unknown_host_are_refused(results: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        with pytest.raises(ConfigurationError, match="cannot listen"):
            serve(results, port=taken.getsockname()[1])
    with pytest.raises(ConfigurationError, match="cannot listen"):
        serve(results, host="203.0.113.1", port=0)


def test_without_streamlit_it_says_what_to_install(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "streamlit", None)
    with pytest.raises(ConfigurationError, match="not installed"):
        serve(results)
