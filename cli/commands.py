"""The commands by name, in the order of the help."""

from __future__ import annotations

from ..registry import Registry

COMMANDS = Registry("command")
COMMANDS.add("run", "leukobench.cli.run:run")
COMMANDS.add("audit", "leukobench.cli.audit:audit")
COMMANDS.add("leakage", "leukobench.cli.leakage:leakage")
COMMANDS.add("learning-curve", "leukobench.cli.learning_curve:learning_curve")
COMMANDS.add("unseal", "leukobench.cli.unseal:unseal")
COMMANDS.add("compare", "leukobench.cli.compare:compare")
COMMANDS.add("verify", "leukobench.cli.verify:verify")
COMMANDS.add("runs", "leukobench.cli.runs:runs")
COMMANDS.add("track", "leukobench.cli.track:track")
COMMANDS.add("features", "leukobench.cli.features:features")
COMMANDS.add("fit", "leukobench.cli.fit:fit")
COMMANDS.add("predict", "leukobench.cli.predict:predict")
COMMANDS.add("external", "leukobench.cli.external:external")
COMMANDS.add("explain", "leukobench.cli.explain:explain")
COMMANDS.add("app", "leukobench.cli.app:app")
COMMANDS.add("doctor", "leukobench.cli.doctor:doctor")
COMMANDS.add("list", "leukobench.cli.list_names:list_names")
COMMANDS.add("datasets", "leukobench.cli.datasets:datasets")
COMMANDS.add("synthetic", "leukobench.cli.synthetic:synthetic")
COMMANDS.add("completion", "leukobench.cli.completion:completion")
