"""Runs that are killed, cut off, without room, beside others, or in a jumping clock: what is lost of them."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import psutil
from fault_forks import Forked
from fault_trials import Ended, Place, Row, ended, left_behind, shared_memory, survivors

from leukobench.storage import process_table

Process = subprocess.Popen[str] | Forked
_SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
_A_RUN = 4  # kills of one run, before it may finish
_YEAR = 365 * 86_400


def kills(place: Place, count: int, seed: int = 0) -> Row:
    """Kills (9, 15, 2) of a run, or of its whole group, at random moments; after four it may end, and is compared."""
    chance, row = random.Random(seed), Row("kills")
    place.expect()
    writes, late, name, before = place.sites.total(), 0, "", 0
    for number in range(count):
        name, before = (name, before + 1) if before else (f"killed-{number}", 1)
        place.plan(kind="count")
        process = place.start(name) if number % 2 else place.fork(name)
        _wait_for(process, place, chance.randrange(writes), chance.uniform(0, 0.5))
        state = place.results / name / "state.json"
        is_late, note, faults = _kill(process, chance.choice(_SIGNALS), chance.random() < 0.5, state)
        late += is_late
        if is_late or before == _A_RUN or number == count - 1:
            words, after = place.finish(name)
            note, faults = f"{note} {words}", {key: max(faults.get(key, 0), after[key]) for key in after}
            place.forget(name)
            before = 0
        row.add(note, **faults)
    row.notes.append(f"{late} came after the end")
    return row


def _wait_for(process: Process, place: Place, writes: int, seconds: float) -> None:
    """Until it has made that many writes, and for some time more; or has ended."""
    while process.poll() is None and place.writes() < writes:
        time.sleep(0.01)
    time.sleep(seconds)


def _kill(
    process: Process, number: signal.Signals, group: bool, state: Path = Path("none")
) -> tuple[bool, str, dict[str, int]]:
    if process.poll() is not None:
        ending = ended(process)
        return True, f"status {ending.status}", {"not_resumed": int(ending.status != 0)}
    while os.getpgid(process.pid) != process.pid and process.poll() is None:  # it has yet to become a group
        time.sleep(0.001)
    children, now = psutil.Process(process.pid).children(recursive=True), time.time()
    (os.killpg if group else os.kill)(process.pid, number)
    ending = ended(process)
    alive = survivors(children, 3.0)
    allowed = {-number, 128 + number} if number != signal.SIGKILL else {-number}
    is_late = ending.status == 0 and state.exists() and state.stat().st_mtime < now
    words = f"signal {number.name}, group {group}: status {ending.status} {alive} {ending.text[-300:]}"
    early = "from leukobench.cli import main" in ending.text  # Python itself tells where its imports were interrupted
    faults = {
        "left_behind": int(bool(alive)),
        "tracebacks": int(ending.traceback and not early),
        "not_resumed": int(ending.status not in allowed and not is_late),
    }
    return is_late, words, faults


def power_cuts(place: Place, count: int, seed: int = 0) -> Row:
    """The power fails after a random write: the last renames, or some of them, are lost, and files end anywhere."""
    chance, row = random.Random(seed), Row("power cuts")
    place.expect()
    writes = place.sites.total()
    for number in range(count):
        name = f"cut-{number}"
        place.plan(kind="cut", after=chance.randrange(1, writes))
        ending = place.run(name)
        time.sleep(1.0)  # a worker in a group of its own ends with the run, not with the power
        lost = _lose(place, name, chance)
        place.plan()
        note, faults = place.finish(name)
        row.add(f"status {ending.status}, {lost} renames lost: {note}", **faults)
        place.forget(name)
    return row


def _lose(place: Place, name: str, chance: random.Random) -> int:
    """Undo renames of those that were not on the disk yet, and cut files that were not flushed; how many."""
    entries = sorted(place.faults.glob("journal/*.json"), key=lambda path: int(path.stem))
    last = entries[-12:]
    some = [entry for entry in last if chance.random() < 0.5]
    chosen = some if chance.random() < 0.5 else last[chance.randrange(len(last) + 1) :]
    lost = 0
    for entry in reversed(chosen):
        target, old = Path(json.loads(entry.read_text())), entry.with_suffix(".old")
        if target.is_file():
            lost += 1
            target.rename(target.with_name(f".part-{process_table()}.4194303-lost-{entry.stem}"))
        if old.exists():
            os.link(old, target)
    for path in [*place.results.glob(f"{name}/features/*"), *place.results.glob(f"{name}/run.log")]:
        size = path.stat().st_size
        if chance.random() < 0.5 and size:
            os.truncate(path, chance.randrange(size))
            if chance.random() < 0.5:
                os.truncate(path, size)  # its length was noted, its end was not
    return lost


def full_disks(place: Place, count: int, seed: int = 0) -> Row:
    """The disk is full from a write on, at each site that a run reaches (`count` of them); then there is room again."""
    chance, row = random.Random(seed), Row("full disks")
    place.expect()
    sites = place.sites
    first = seed * count % len(sites)  # where another seed went on
    order = sorted(sites)[first:] + sorted(sites)[:first]
    for number, site in enumerate(order[:count]):
        name = f"full-{number}"
        place.plan(kind="full", site=site, occurrence=chance.choice((1, chance.randint(1, sites[site]))))
        ending = place.run(name)
        hit = (place.faults / "full").exists()
        named = ending.status == 2 and "disk is full" in ending.text and not ending.traceback
        place.plan()
        note, faults = place.finish(name)
        if hit and not named:
            faults["tracebacks"] += 1
        row.add(f"{site}: status {ending.status} {ending.text[-300:] if not named else ''} {note}", **faults)
        place.forget(name)
    row.notes.append(f"{len(sites)} sites")
    return row


def one_after_another(place: Place, count: int, seed: int = 0) -> Row:
    """One run meets a full disk, a power cut and a kill, in any order, and then ends."""
    chance, row = random.Random(seed), Row("one after another")
    place.expect()
    for number in range(count):
        name, words = f"several-{number}", []
        for kind in chance.sample(("full", "cut", "kill"), 3):
            site = chance.choice(sorted(place.sites))
            place.plan(kind=kind, site=site, occurrence=1, after=chance.randrange(1, place.sites.total()))
            process = place.fork(name)
            if kind == "kill":
                _wait_for(process, place, chance.randrange(place.sites.total()), 0.0)
                words.append(_kill(process, chance.choice(_SIGNALS), True)[1])
            else:
                words.append(f"{kind}: status {ended(process).status}")
            if kind == "cut":
                time.sleep(1.0)
                _lose(place, name, chance)
            place.plan()
        note, faults = place.finish(name)
        row.add(f"{words}: {note}", **faults)
        place.forget(name)
    return row


def clock_jumps(place: Place, count: int, seed: int = 0) -> Row:
    """The clock of all processes jumps, twice a run, by up to 20 years; killed after one, resumed after another."""
    chance, row, seconds = random.Random(seed), Row("clock jumps"), place.expect()
    writes = place.sites.total()
    for number in range(count):
        name = f"clock-{number}"
        place.plan(kind="count")
        jumps = [[chance.uniform(0, seconds), chance.uniform(-20, 20) * _YEAR] for _ in range(2)]
        process = place.fork(name, LEUKOBENCH_CLOCK=json.dumps(jumps))
        if number % 2:
            _wait_for(process, place, chance.randrange(writes), 0.0)
            _kill(process, signal.SIGKILL, True)
        else:
            ending = ended(process)
            row.notes += [f"status {ending.status}: {ending.text[-200:]}"] * bool(ending.status)
        note, faults = place.finish(name, LEUKOBENCH_CLOCK=json.dumps(jumps[::-1]))
        row.add(f"{jumps}: {note}", **faults)
        place.forget(name)
    return row


def together(place: Place, count: int, seed: int = 0) -> Row:
    """Four processes at once: of one run, where one works and the others say so; or of four runs on one cache."""
    chance, row, seconds = random.Random(seed), Row("four at once"), place.expect()
    for number in range(count):
        one_run = number % 2 == 0
        names = [f"shared-{number}"] * 4 if one_run else [f"shared-{number}-{k}" for k in range(4)]
        cache = {"cache": f"cache-shared-{number}"}
        processes = [place.fork(name, **cache) for name in names]
        if chance.random() < 0.5:
            time.sleep(chance.uniform(0, 2 * seconds))
            os.killpg(processes.pop().pid, signal.SIGKILL)
        others = [ending for ending in map(ended, processes) if ending.status and not (one_run and _is_busy(ending))]
        words = [f"status {ending.status}: {ending.text[-300:]}" for ending in others]
        for name in dict.fromkeys(names):
            note, faults = place.finish(name, **cache)
            faults["not_resumed"] += len(others)
            row.add(f"{words} {note}", **faults)
            place.forget(name)
        place.forget(f"shared-{number}")
    return row


def _is_busy(ending: Ended) -> bool:
    return ending.status == 2 and "Another process is running" in ending.text


def many_processes(place: Place, count: int, seed: int = 0) -> Row:
    """Small runs, a process each: files, shared memory and processes that stay."""
    row = Row("runs as processes")
    place.expect()
    for number in range(count):
        before = shared_memory()
        process = place.start(f"small-{number}", cache="cache-small")
        children: set[psutil.Process] = set()
        while process.poll() is None and time.sleep(0.2) is None:
            try:
                children.update(psutil.Process(process.pid).children(recursive=True))
            except psutil.NoSuchProcess:
                break
        ending = ended(process)
        alive = survivors(list(children), 3.0)
        left = left_behind(place.folder, (process.pid, *(child.pid for child in children)), before)
        wrong = place.compare(f"small-{number}") if not ending.status else []
        faults = {"left_behind": int(bool(alive or left)), "wrong_results": int(bool(wrong))}
        row.add(f"{alive} {left} {wrong}", not_resumed=int(ending.status != 0), **faults)
        place.forget(f"small-{number}")
    return row
