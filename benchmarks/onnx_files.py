"""Networks from ONNX files: images per second from JPEG files to cached vectors, beside OpenVINO's own benchmark tool.

The tool (`benchmark_app`, throughput hint) runs the network alone, on numbers that are in memory already. Ratios are
medians of turns, with the lowest and the highest; vectors are compared with those of onnxruntime.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from extraction import cached_seconds, some

from machine import alone, in_turns

NETWORKS = {"ViT-S/14": ("vit_small", 128, {"pooling": "cls"}), "ResNet-50": ("resnet50", 128, {})}
"""Title -> what makes it, how many images it is timed on, and parameters of the extractor."""
WANTED = 0.9
_HINTS = {"float32": "f32", "bfloat16": "bf16"}
_TOOL_SECONDS = 8


def rows(images: Path, repeats: int) -> list[dict[str, Any]]:
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for title, (name, count, parameters) in NETWORKS.items():
            file = alone(make, name, Path(folder) / f"{name}.onnx")
            for precision in _HINTS:
                choice = {"file": str(file), "precision": precision, **parameters}
                with some(images, count) as chosen:
                    ways = {
                        "ours": partial(alone, cached_seconds, chosen, "onnx", choice),
                        "tool": partial(tool_rate, file, precision),
                    }
                    times = in_turns(ways, max(3, repeats))
                ratios = [count / own / theirs for own, theirs in zip(times["ours"], times["tool"], strict=True)]
                results.append(
                    {
                        "network": title,
                        "precision": precision,
                        "leukobench, images/s": count / statistics.median(times["ours"]),
                        "benchmark_app, images/s": statistics.median(times["tool"]),
                        "ratio": statistics.median(ratios),
                        "lowest": min(ratios),
                        "highest": max(ratios),
                        "wanted": WANTED,
                        "distance from onnxruntime": alone(distance, choice),
                    }
                )
                print(results[-1], flush=True)
    return results


def make(name: str, path: Path) -> Path:
    import onnx_networks

    return Path(getattr(onnx_networks, name)(path))


def tool_rate(file: Path, precision: str) -> float:
    """Images per second that `benchmark_app` reports for the network alone."""
    tool = [sys.executable, "-c", "from openvino.tools.benchmark.main import main; main()"]
    command = [*tool, "-m", str(file), "-d", "CPU", "-hint", "throughput", "-infer_precision", _HINTS[precision]]
    command += ["-t", str(_TOOL_SECONDS)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if reported := re.search(r"Throughput:\s+([\d.]+) FPS", output):
        return float(reported[1])
    raise ValueError(output)


def distance(choice: dict[str, Any]) -> float:
    """Relative distance of the vector of one image of noise from that of onnxruntime; NaN where it is not installed."""
    from leukobench.features.extractors import make_extractor

    try:
        from onnxruntime import InferenceSession
    except ImportError:
        return float("nan")
    pixels = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    with make_extractor("onnx", choice).open(1) as engine:
        own = next(iter(engine.vectors([pixels])))
    image = (pixels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    output = InferenceSession(choice["file"]).run(None, {"image": image.transpose(2, 0, 1)[None].astype(np.float32)})[0]
    expected = output[0, 0] if output.ndim == 3 else output[0]
    return float(np.linalg.norm(own - expected) / np.linalg.norm(expected))
