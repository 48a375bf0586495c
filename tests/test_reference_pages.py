"""Reference pages that are written from the code: the experiment file and the commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

import leukobench
from leukobench.cli import cli
from leukobench.config.experiment import Experiment
from leukobench.config.experiment_file import read_experiment

from .test_reference import ROOT, package

PAGE = (ROOT / "docs" / "experiment-file.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
NOT_IN_FILES = {"--workers", "--budget", "--plan", "--wide", "--format", "--json", "--allow-code"}
NOT_IN_FILES |= {"--track", "--not-by-name", "--quiet", "--verbose"}


def keys_of(schema: dict[str, Any], definitions: dict[str, Any], above: str = "") -> Iterator[str]:
    """Dotted keys of a model, by its JSON schema."""
    for name, part in schema["properties"].items():
        yield f"{above}{name}"
        for one in [part, *part.get("anyOf", ())]:
            nested = definitions.get(one.get("$ref", "").rpartition("/")[2], {})
            if "properties" in nested:
                yield from keys_of(nested, definitions, f"{above}{name}.")


def test_every_key_of_an_experiment_file_has_a_heading_and_an_example() -> None:
    schema = Experiment.model_json_schema()
    keys = list(keys_of(schema, schema["$defs"]))
    assert len(keys) > 40
    headings = re.findall(r"^###? (?:Section )?`(.+)`\n", PAGE, re.MULTILINE)
    assert sorted(headings) == sorted(keys)
    assert len(EXAMPLES) > len(keys) - 6  # sections have those of their keys


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_is_an_experiment(example: str, tmp_path: Path) -> None:
    mapping = yaml.safe_load(example)
    if isinstance(mapping.get("images", {}), dict):
        mapping["images"] = {"folder": "my-images", **mapping.get("images", {})}
    (tmp_path / "trial.yaml").write_text(yaml.safe_dump(mapping))
    experiment = read_experiment(tmp_path / "trial.yaml")
    assert experiment.to_mapping() != Experiment(name="trial", images={"folder": "my-images"}).to_mapping()


def test_options_that_set_a_key_are_options_of_run() -> None:
    package()
    from reference.blocks.experiment_file import OPTIONS

    run = cli.get_command(click.Context(cli), "run")
    assert run is not None
    options = {name for one in run.params for name in one.opts if name.startswith("--")}
    assert options - NOT_IN_FILES == set(OPTIONS.values())


def test_every_public_name_has_its_reference() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    described = set(re.findall(r"auto(?:function|class):: leukobench\.(\w+)$", text, re.MULTILINE))
    described |= set(re.findall(r":members: (LeukobenchError),", text))
    assert described == set(leukobench.__all__) - {"__version__"}


def test_every_command_has_its_section_and_every_option_its_row() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## `leukobench (.+?)`\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE))
    context = click.Context(cli)
    assert list(sections) == cli.list_commands(context)
    for name, section in sections.items():
        command = cli.get_command(context, name)
        assert command is not None
        for option in command.params:
            hidden = isinstance(option, click.Argument) or option.hidden or option.name in ("quiet", "verbose")
            assert hidden or re.search(rf"^\| `.*{option.opts[-1]}\b", section, re.MULTILINE), (name, option.opts)
