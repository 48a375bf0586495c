"""An S3 server of the tests on this machine, with buckets for each test."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "a secret of the tests",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def server() -> Iterator[str]:
    """A server in a thread of this process, named in the environment as a user would; yields its address."""
    pytest.importorskip("s3fs")
    from moto.server import ThreadedMotoServer

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    started.start()
    address = f"http://127.0.0.1:{port}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": address}.items():
            patch.setenv(name, value)
        forget()
        yield address
    forget()
    started.stop()


def forget() -> None:
    """Let the next request look at the environment again."""
    from leukobench.remote import objects

    objects._file_system.cache_clear()


def store() -> Any:
    """The file system of fsspec for this server."""
    from leukobench.remote.objects import file_system

    return file_system("s3")


def upload(folder: Path, bucket: str) -> None:
    """Copy a folder into a bucket, every file under its own name."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            store().pipe_file(f"{bucket}/{os.fsdecode(path.relative_to(folder).as_posix())}", path.read_bytes())
