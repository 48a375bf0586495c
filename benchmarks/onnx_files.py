"""Networks from ONNX files: images per second from JPEG files to cached vectors, beside the loop of OpenVINO's tool.

The loop is that of `benchmark_app` with the throughput hint: the network alone, on numbers that are in memory already.
Both take turns of a few seconds in one process, since a machine's speed moves; ratios are medians, with the quartiles.
Processor time moves less where other programs compute at the same time. What `benchmark_app` itself reports stands
beside. Vectors are compared with those of onnxruntime.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from extraction import open_cached, some

from machine import alone, in_turns

NETWORKS = {"ViT-S/14": ("vit_small", {"pooling": "cls"}), "ResNet-50": ("resnet50", {})}
"""Title -> what makes it, and parameters of the extractor."""
COUNTS = {"float32": 96, "bfloat16": 256}
"""Images of a turn: to write a part of the cache takes 0.1 s, however few rows it has."""
WANTED = 0.9
_HINTS = {"float32": "f32", "bfloat16": "bf16"}
_LEAST_TURNS, _TOOL_SECONDS = 7, 8


def rows(images: Path, repeats: int) -> list[dict[str, Any]]:
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for title, (name, parameters) in NETWORKS.items():
            file = alone(make, name, Path(folder) / f"{name}.onnx")
            for precision, count in COUNTS.items():
                choice = {"file": str(file), "precision": precision, **parameters}
                with some(images, count) as chosen:
                    own, loop, own_work, loop_work = alone(turns, chosen, choice, max(_LEAST_TURNS, repeats))
                ratios = [b / a for a, b in zip(own, loop, strict=True)]
                work = [b / a for a, b in zip(own_work, loop_work, strict=True)]
                low, middle, high = statistics.quantiles(ratios, n=4)
                results.append(
                    {
                        "network": title,
                        "precision": precision,
                        "leukobench, images/s": count / statistics.median(own),
                        "loop, images/s": count / statistics.median(loop),
                        "ratio": middle,
                        "lower quartile": low,
                        "upper quartile": high,
                        "ratio of processor time": statistics.median(work),
                        "wanted": WANTED,
                        "benchmark_app, images/s": tool_rate(file, precision),
                        "distance from onnxruntime": alone(distance, choice),
                    }
                )
                print(results[-1], flush=True)
    return results


def turns(folder: Path, choice: dict[str, Any], repeats: int) -> list[list[float]]:
    """Seconds of both ways for all images of a folder, turn by turn, then their seconds of processor time."""
    work: dict[str, list[float]] = {"ours": [], "loop": []}

    def seconds(name: str, way: Callable[[], None]) -> float:
        start, began = time.perf_counter(), time.process_time()
        way()
        work[name].append(time.process_time() - began)
        return time.perf_counter() - start

    with open_cached(folder, "onnx", choice) as ours:
        loop = _loop(choice, len(list(folder.rglob("*.*"))))
        ours()
        loop()
        times = in_turns({"ours": lambda: seconds("ours", ours), "loop": lambda: seconds("loop", loop)}, repeats)
    return [*times.values(), *work.values()]


def _loop(choice: dict[str, Any], count: int) -> Callable[[], None]:
    import openvino

    settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": _HINTS[choice["precision"]]}
    queue = openvino.AsyncInferQueue(openvino.Core().compile_model(choice["file"], "CPU", settings))
    numbers = np.random.default_rng(0).normal(size=(1, 3, 224, 224)).astype(np.float32)

    def loop() -> None:
        for _ in range(count):
            queue.start_async({0: numbers}, share_inputs=True)
        queue.wait_all()

    return loop


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
