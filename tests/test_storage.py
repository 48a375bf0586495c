from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukobench import storage
from leukobench.errors import BusyError, ConfigurationError, StorageError


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


def test_unfinished_files_are_removed_when_old_or_when_their_process_has_ended(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    here = storage.process_table()
    old, young, own = tmp_path / ".part-1-x", tmp_path / ".part-2-x", storage.temporary_path(tmp_path / "x")
    dead, elsewhere = tmp_path / "below" / f".part-{here}.{ended.pid}-x", tmp_path / f".part-00000000.{ended.pid}-x"
    dead.parent.mkdir()
    for path in (old, young, own, dead, elsewhere):
        path.write_text("half")
    os.utime(old, (time.time() - 2e5,) * 2)
    storage.remove_leftovers(tmp_path)
    assert [path.exists() for path in (old, young, own, dead, elsewhere)] == [False, True, True, True, True]
    storage.remove_leftovers(tmp_path, deep=True)
    assert [path.exists() for path in (young, own, dead, elsewhere)] == [True, True, False, True]


@pytest.mark.skipif(sys.platform != "linux", reason="no zombies elsewhere")
def test_a_process_that_ended_unnoticed_has_ended() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert storage.has_ended(f".part-{storage.process_table()}.{process.pid}-x")
    process.wait()
    assert not storage.has_ended(f".part-{storage.process_table()}.{os.getpid()}-x")


def test_a_lock_where_no_folder_can_be_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(StorageError, match="could not be written"),
        storage.lock(tmp_path / "file" / "x" / ".lock", "x"),
    ):
        pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_has_a_file_instead(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    path = tmp_path / "run" / ".lock"
    for _ in range(2):
        with storage.lock(path, "testing"):
            assert path.with_name(".lock.held").exists()
            with pytest.raises(BusyError, match=r"\.lock\.held\n.*delete that file"), storage.lock(path, "testing"):
                pass
        assert not path.with_name(".lock.held").exists()


def test_other_errors_of_a_lock_are_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(StorageError, match="Input/output"), storage.lock(tmp_path / ".lock", "testing"):
        pass


def test_without_a_home_folder_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LEUKOBENCH_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", str)  # as where the user has no entry either
    with pytest.raises(StorageError, match="set LEUKOBENCH_CACHE"):
        storage.cache_folder()
    with pytest.raises(ConfigurationError, match="in place of ~"):
        storage.user_path("~/images")
    with pytest.raises(StorageError, match="check that the folder exists"):
        _refuse(tmp_path / "x")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(StorageError, match="set LEUKOBENCH_CACHE") as caught:
        _refuse(tmp_path / "leukobench" / "x")
    assert "XDG_CACHE_HOME" in caught.value.fix


def _refuse(target: Path) -> None:
    with storage.storage_errors(target):
        raise PermissionError(errno.EACCES, "Permission denied")


def test_a_long_name_is_cut_between_two_signs_and_a_short_one_stays(tmp_path: Path) -> None:
    assert storage.file_name("cell", "-1.png") == "cell-1.png"
    name = storage.file_name("\u826f" * 84, "-0123abcd.png")
    assert name.endswith("\u826f-0123abcd.png")
    assert len(name.encode()) <= 240
    storage.write_text(tmp_path / ("x" * 255), "as long as a name may be")
    assert [len(path.name) for path in tmp_path.iterdir()] == [255]


FORMULAS = ["=1+1", "+1+1", "-2*3", "@sum", "\ta", "\ra", "\uff1dA1", "'=1", "''@", "=", "-"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_spreadsheet_runs_no_text(text: str) -> None:
    assert storage.defused(text) == f"'{text}"


@pytest.mark.parametrize("text", ["Early", "-1", "+1.5e-3", "'quoted'", "a=b", "", "1+1"])
def test_numbers_and_other_texts_stay_as_they_are(text: str) -> None:
    assert storage.defused(text) == storage.restored(text) == text


@settings(max_examples=60)
@given(st.text("'=+-@\t\r\n1.e a\uff1d") | st.text())
def test_what_was_defused_comes_back_exactly(text: str) -> None:
    assert storage.restored(storage.defused(text)) == text


def test_tables_are_defused_in_csv_alone(tmp_path: Path) -> None:
    import pandas as pd

    table = pd.DataFrame({"=label": [*FORMULAS, "Early"], "value": [-0.5] * (len(FORMULAS) + 1)})
    storage.write_table(tmp_path / "t.parquet", table)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t.parquet"), table)
    storage.write_table(tmp_path / "t.csv", table)
    written = pd.read_csv(tmp_path / "t.csv", lineterminator="\n")
    assert written["'=label"].tolist() == [*(f"'{text}" for text in FORMULAS), "Early"]
    assert (written["value"] == -0.5).all()
