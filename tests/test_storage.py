from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from leukobench import storage
from leukobench.errors import BusyError, StorageError


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    target = tmp_path / "table.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), storage.atomic_path(target) as temporary:
        temporary.write_text("ha")
        raise RuntimeError
    assert target.read_text() == "old"
    storage.write_text(target, "new")
    assert [path.name for path in tmp_path.iterdir()] == ["table.txt"]
    assert target.read_text() == "new"


def test_a_full_disk_is_explained(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match=r"disk is full.*\n.*\n.*finished work is kept"),
        storage.storage_errors(tmp_path / "x"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_really_full_device_is_explained() -> None:
    with (
        pytest.raises(StorageError, match="disk is full"),
        storage.storage_errors(Path("/dev/full")),
        open("/dev/full", "w") as full,
    ):
        full.write("x" * 100_000)


def test_digest_ignores_the_order_of_keys_only() -> None:
    assert storage.digest({"a": 1, "b": [1, 2]}) == storage.digest({"b": [1, 2], "a": 1})
    assert storage.digest({"a": [1, 2]}) != storage.digest({"a": [2, 1]})


def test_a_lock_is_free_again_after_its_holder_was_killed(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    script = (
        "import sys,time; from pathlib import Path; from leukobench.storage import lock\n"
        "with lock(Path(sys.argv[1]), 'testing'):\n    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(BusyError, match="Another process is testing"), storage.lock(path, "testing"):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with storage.lock(path, "testing"):
        pass


def test_leftovers_of_killed_writers_are_removed_when_old(tmp_path: Path) -> None:
    old, young = tmp_path / ".part-1-x", tmp_path / ".part-2-x"
    for path in (old, young):
        path.write_text("half")
    os.utime(old, (time.time() - 2e5,) * 2)
    storage.remove_leftovers(tmp_path)
    assert not old.exists()
    assert young.exists()


def test_a_lock_where_no_folder_can_be_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(StorageError, match="could not be written"),
        storage.lock(tmp_path / "file" / "x" / ".lock", "x"),
    ):
        pass
