"""Seconds per 1,000 small objects of S3 to list, to identify and to read: ``python -m benchmarks.object_store``.

The server is that of moto, in a process of its own, behind a proxy that delays each request. Wall time is therefore
mostly that of the server; CPU time is that of this process alone.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import io
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_SERVER, _PROXY = 5557, 5558
_BLOCK = 1 << 16


def main() -> None:
    """Upload images of 32 x 32 pixels, and time what a run does with them first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds before each request")
    chosen = parser.parse_args()
    server = subprocess.Popen(
        [sys.executable, "-c", f"from moto.server import main; main(['-p', '{_SERVER}'])"], stderr=subprocess.DEVNULL
    )
    multiprocessing.get_context("spawn").Process(target=_proxy, args=(chosen.latency,), daemon=True).start()
    os.environ |= {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"}
    os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{_PROXY}"
    with tempfile.TemporaryDirectory() as cache:
        os.environ["LEUKOBENCH_CACHE"] = cache
        try:
            time.sleep(5)
            _measure(chosen.images)
        finally:
            server.kill()


def _measure(images: int) -> None:
    from leukobench.features.extraction import read_ahead
    from leukobench.images.index import index_images
    from leukobench.images.reading import read_file
    from leukobench.remote.listing import list_objects
    from leukobench.remote.objects import file_system
    from leukobench.remote.path import object_of

    folder = "s3://measured/images"
    file_system("s3").mkdir("measured")
    paths = [f"{folder}/{'abcd'[number % 4]}/{number:07d}.png" for number in range(images)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(_upload, enumerate(paths)))
    _time("list", images, lambda: list_objects(object_of(folder)))
    _time("list and identify", images, lambda: index_images(folder))
    _time("the same again", images, lambda: index_images(folder))
    for threads in (1, 16):
        read = functools.partial(read_ahead, paths, read_file, threads)
        _time(f"read, {threads} threads", images, lambda read=read: list(read()))


def _upload(one: tuple[int, str]) -> None:
    import numpy as np
    from PIL import Image

    from leukobench.remote.objects import file_system

    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(one[0]).integers(0, 255, (32, 32, 3), np.uint8)).save(stream, "PNG")
    file_system("s3").pipe_file(one[1], stream.getvalue())


def _time(what: str, images: int, work: Callable[[], Any]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = (
        1000 * (end - start) / images for end, start in ((time.perf_counter(), wall), (time.process_time(), cpu))
    )
    print(f"{what:20} {wall:8.2f} s {cpu:8.2f} s of CPU, per 1,000 objects")


def _proxy(latency: float) -> None:
    asyncio.run(_delay(latency))


async def _delay(latency: float) -> None:
    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
        while data := await reader.read(_BLOCK):
            await asyncio.sleep(seconds)
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", _SERVER)
        await asyncio.gather(pass_on(reader, back, latency), pass_on(there, writer, 0.0), return_exceptions=True)

    async with await asyncio.start_server(serve, "127.0.0.1", _PROXY) as proxy:
        await proxy.serve_forever()


if __name__ == "__main__":
    main()
