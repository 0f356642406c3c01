"""A job in a fork of a warm process is like a cold one, and leaves nothing behind."""

import contextlib
import fcntl
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import REPOSITORY
from snakemake import benchmark
from snakemake.shell import shell

from zoomill import sandbox
from zoomill.plan import warm

# What a job finds, and what it does to whatever could reach the next one; its words say when it ends, and how.
JOB = """
import atexit, json, os, random, resource, signal, sys, tempfile, threading, time
warm = "numpy" in sys.modules
import numpy, own

def state():
    status = open("/proc/self/status").read().split()
    return {
        "argv": sys.argv, "path": sys.path, "file": __file__, "name": __name__, "module": own.VALUE,
        "cwd": os.getcwd(), "environ": {k: v for k, v in os.environ.items() if k != "_"}, "hash": hash("zoomill"),
        "umask": status[status.index("Umask:") + 1], "limits": open("/proc/self/limits").read(),
        "temporary": tempfile.gettempdir(), "files": sorted(os.listdir("/proc/self/fd")),
        "streams": [os.readlink(f"/proc/self/fd/{n}") for n in range(3)], "buffered": sys.stdout.line_buffering,
        "signals": [str(signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)],
        "ignored": status[status.index("SigIgn:") + 1], "blocked": status[status.index("SigBlk:") + 1],
        "threads": threading.active_count(), "errors": numpy.geterr(), "main": sys.modules["__main__"].__file__,
        "strange": [name for name in ("client", "heavy", "worker", "left") if name in sys.modules],
    }

def soil():
    os.environ["LEFT"] = "1"; os.chdir("/"); os.umask(0o777); sys.path.append("left"); sys.argv.append("left")
    sys.modules["left"] = own; own.VALUE = "left"; tempfile.tempdir = "/left"; numpy.seterr(all="raise")
    random.seed(1); numpy.random.seed(1); signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open("/dev/null").fileno(); os.dup(0); resource.setrlimit(resource.RLIMIT_NOFILE, (99, 99))
    numpy.left = True
    threading.Thread(target=time.sleep, args=[0.2]).start()

def says(*words):
    print(json.dumps({"warm": warm, "parent": os.getppid(), "job": os.getpid(), **dict(words)}), flush=True)

words = sys.argv[1:]
atexit.register(lambda: print("the end"))
# Before it says anything, since it is sent signals then.
if "wait" in words:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(44))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(55))
if "stubborn" in words: signal.signal(signal.SIGTERM, signal.SIG_IGN)
says(("state", state()), ("random", [random.random(), float(numpy.random.random())]), ("left", hasattr(numpy, "left")))
if "soil" in words: soil()
if "wait" in words or "stubborn" in words: time.sleep(60)
if "crash" in words: os.kill(os.getpid(), signal.SIGSEGV)
if "text" in words: sys.exit("error: in one line")
if "raise" in words: raise ValueError("told")
if "status" in words: sys.exit(7)
"""


class House:
    """A folder with a command ``job.py``, a client of its own, and a run that owns the warm processes."""

    def __init__(self, folder, modules=("numpy", "numpy.random"), idle=20):
        self.folder = folder / ("long" * 40)
        self.folder.mkdir()
        self.sockets = self.folder / "warm"
        shutil.copytree(REPOSITORY / "envs/warm", self.folder / "code", ignore=shutil.ignore_patterns("__pycache__"))
        (self.folder / "code/heavy.py").write_text(f"IMPORTS = {{'job': {modules!r}}}\nLARGE = {{{modules!r}}}\n")
        worker = self.folder / "code/worker.py"
        worker.write_text(worker.read_text().replace("_IDLE = 20", f"_IDLE = {idle}"))
        (self.folder / "job.py").write_text(JOB)
        (self.folder / "own.py").write_text("VALUE = 1\n")
        self.run = subprocess.Popen(["sleep", "600"])
        self.environment = {**os.environ, "ZOOMILL_WARM": f"{self.run.pid}:{self.sockets}", "PYTHONHASHSEED": "0"}

    def start(self, *words, warm=True, below="", through=(), **variables):
        """Start the job as a rule does, in the folder or in one ``below``."""
        program = [sys.executable, *(["-I", "-S", str(self.folder / "code/client.py")] if warm else [])]
        return subprocess.Popen(
            [*through, *program, str(self.folder / "job.py") if below else "job.py", *words],
            cwd=self.folder / below,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def job(self, *words, **more):
        """Run the job and return what it said of itself, all its lines, and its status."""
        process = self.start(*words, **more)
        lines = process.communicate(timeout=60)[0].splitlines()
        return json.loads(lines[0]), lines, process.returncode

    def begun(self, *words, **more):
        """Start the job and return its process, that of the client, and what it says of itself."""
        process = self.start(*words, **more)
        job = json.loads(process.stdout.readline())
        comm = Path(f"/proc/{process.pid}/comm")
        while process.poll() is None and comm.read_text() != f"warm {job['job']}\n":  # it may lag behind
            time.sleep(0.01)
        return process, job

    def log(self):
        return (self.sockets / "log").read_text()

    def end(self):
        self.run.kill()
        self.run.wait()

    def left(self):
        """Return the processes that have this house's environment."""
        mark, found = f"{self.run.pid}:{self.sockets}".encode(), []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (path / "environ").read_bytes():
                    found.append(int(path.name))
        return found

    def leave(self):
        """End the run; nothing may outlive it."""
        self.end()
        gone_within(5, *self.left())
        left = [process for process in self.left() if alive(process)]
        for process in left:
            os.kill(process, signal.SIGKILL)
        assert not left


@pytest.fixture
def make_house(tmp_path):
    """A function that makes a :class:`House`, whose run ends with the test."""
    with contextlib.ExitStack() as stack:

        def make(**more):
            made = House(tmp_path, **more)
            stack.callback(made.leave)
            return made

        yield make


@pytest.fixture
def house(make_house):
    return make_house()


def alive(process):
    """Tell whether a process is there and has not ended."""
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone_within(seconds, *processes):
    end = time.monotonic() + seconds
    while any(map(alive, processes)) and time.monotonic() < end:
        time.sleep(0.02)
    return not any(map(alive, processes))


def waits_at_a_socket(process):
    with contextlib.suppress(FileNotFoundError):
        files = [os.readlink(path) for path in Path(f"/proc/{process}/fd").iterdir()]
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "S" and any(name.startswith("socket:") for name in files)
    return False


def kilobytes_of_files(process):
    """Return how much a process has mapped of libraries and the like."""
    return int(re.search(r"RssFile:\s*(\d+)", Path(f"/proc/{process}/status").read_text())[1])


def without_pipes(state):
    return {**state, "streams": [name.partition(":")[0] for name in state["streams"]]}


def test_a_warm_job_finds_what_a_cold_one_finds(house):
    house.job()
    warm, cold = house.job("a", "b c", ""), house.job("a", "b c", "", warm=False)
    assert (warm[0]["warm"], cold[0]["warm"]) == (True, False)
    assert without_pipes(warm[0]["state"]) == without_pipes(cold[0]["state"])
    assert warm[1][1:] == cold[1][1:] == ["the end"]


def test_nothing_of_a_job_reaches_the_next_one(house):
    before, _, _ = house.job()
    soiled, _, _ = house.job("soil")
    after, _, _ = house.job()
    assert before["parent"] == soiled["parent"] == after["parent"]
    assert without_pipes(after["state"]) == without_pipes(before["state"])
    assert not after["left"]
    randoms = [number for job in (before, soiled, after) for number in job["random"]]
    assert len(set(randoms)) == 6


def test_a_job_runs_in_the_folder_of_its_client(house):
    (house.folder / "below").mkdir()
    first, below = house.job()[0], house.job(below="below")[0]
    assert first["parent"] == below["parent"] and below["state"]["cwd"] == str(house.folder / "below")


def test_an_edit_of_our_own_code_counts(house):
    first, _, _ = house.job()
    (house.folder / "own.py").write_text("VALUE = 'edited'\n")
    second, _, _ = house.job()
    assert second["parent"] == first["parent"] and second["state"]["module"] == "edited"


@pytest.mark.parametrize("word", ["status", "text", "raise", "crash"])
def test_a_warm_job_ends_as_a_cold_one_does(house, word):
    warm, cold = house.job(word), house.job(word, warm=False)
    assert warm[0]["warm"] and warm[2] == cold[2] != 0
    assert warm[1][1:] == cold[1][1:]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 44), (signal.SIGINT, 55)])
def test_signals_reach_the_job_and_its_answer_comes_back(house, number, status):
    client, job = house.begun("wait")
    client.send_signal(number)
    assert client.wait(10) == status and job["warm"] and gone_within(5, job["job"])


def test_a_job_whose_client_is_killed_is_stopped(house):
    client, job = house.begun("wait")
    client.kill()
    client.wait()
    assert gone_within(5, job["job"]) and alive(job["parent"])


def test_the_end_of_the_run_ends_warm_process_and_stubborn_jobs(house):
    client, job = house.begun("stubborn")
    house.end()
    assert gone_within(5, job["job"], job["parent"])
    assert client.wait(5) == -signal.SIGKILL
    assert not [path for path in house.sockets.iterdir() if path.is_socket()]


def test_the_end_of_the_run_lets_jobs_tidy_up(house):
    client, job = house.begun("wait")
    house.end()
    assert client.wait(5) == 44 and "the end" in client.stdout.read() and gone_within(5, job["parent"])


def test_a_job_dies_with_its_warm_process_and_the_next_one_gets_another(house):
    client, job = house.begun("wait")
    os.kill(job["parent"], signal.SIGKILL)
    assert client.wait(10) == -signal.SIGKILL and gone_within(5, job["job"])
    after, _, _ = house.job()
    assert after["warm"] and after["parent"] != job["parent"]


def test_a_warm_process_that_nobody_asks_ends(make_house):
    house = make_house(idle=1)
    job, _, _ = house.job()
    assert gone_within(10, job["parent"])
    assert house.job()[0]["warm"]


def test_a_job_gets_a_fork_of_a_process_that_was_started_like_it(house):
    usual, _, _ = house.job()
    other, _, _ = house.job(OMP_NUM_THREADS="17")
    os.umask(before := os.umask(0o077))
    try:
        os.umask(0o077)
        private, _, _ = house.job()
    finally:
        os.umask(before)
    assert other["state"]["environ"]["OMP_NUM_THREADS"] == "17" and private["state"]["umask"] == "0077"
    assert len({job["parent"] for job in (usual, other, private)}) == 3


def test_a_warm_process_holds_no_pages_that_stand_in_files(house):
    client, job = house.begun("wait")
    warm, fork = (kilobytes_of_files(process) for process in (job["parent"], job["job"]))
    client.terminate()
    assert client.wait(10) == 44 and warm < fork


def test_an_idle_warm_process_makes_room_for_another_and_a_busy_one_stays(house):
    idle, _, _ = house.job()
    client, busy = house.begun("wait", OMP_NUM_THREADS="17")
    assert gone_within(5, idle["parent"])
    third, _, _ = house.job()
    assert alive(busy["parent"]) and house.job(OMP_NUM_THREADS="17")[0]["parent"] == busy["parent"]
    client.terminate()
    assert client.wait(10) == 44 and third["warm"]


def test_a_job_that_comes_while_its_warm_process_ends_gets_another_one(house):
    first, _, _ = house.job()
    os.kill(first["parent"], signal.SIGSTOP)
    other = house.start(OMP_NUM_THREADS="17")
    assert json.loads(other.stdout.readline())["warm"]
    client = house.start()
    while not waits_at_a_socket(client.pid):
        time.sleep(0.01)
    os.kill(first["parent"], signal.SIGCONT)
    job = json.loads(client.communicate(timeout=60)[0].splitlines()[0])
    assert job["warm"] and job["parent"] != first["parent"]


def test_more_jobs_than_a_warm_process_may_open_files_for_wait(house):
    few = ["bash", "-c", 'ulimit -n 20; exec "$@"', "-"]
    clients = [house.begun("wait", through=few)[0] for _ in range(2)]
    third = house.start(through=few)
    assert not select.select([third.stdout], [], [], 1)[0]
    for client in clients:
        client.terminate()
        assert client.wait(10) == 44
    assert json.loads(third.communicate(timeout=60)[0].splitlines()[0])["warm"]


def test_those_who_come_first_at_once_start_one_warm_process(house):
    clients = [house.start() for _ in range(8)]
    said = [json.loads(client.communicate(timeout=60)[0].splitlines()[0]) for client in clients]
    assert all(job["warm"] for job in said) and len({job["parent"] for job in said}) == 1


def test_a_client_waits_for_another_one_that_is_about_to_start_a_warm_process(house):
    job, _, _ = house.job()
    os.kill(job["parent"], signal.SIGKILL)
    assert gone_within(5, job["parent"])
    with open(house.sockets / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        client = house.start()
        assert not select.select([client.stdout], [], [], 1)[0]
    assert json.loads(client.communicate(timeout=60)[0].splitlines()[0])["warm"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import threading, time\nthreading.Thread(target=time.sleep, args=[9], daemon=True).start()", "threads run"),
        ("raise ImportError('is broken')", "is broken"),
    ],
    ids=["threads", "broken"],
)
def test_what_cannot_be_forked_runs_cold_and_the_log_says_why(make_house, text, reason):
    house = make_house(modules=("heavy_thing",))
    (house.folder / "heavy_thing.py").write_text(text)
    for _ in range(2):
        job, _, status = house.job(PYTHONPATH=str(house.folder))
        assert not job["warm"] and status == 0
    assert "runs cold" in house.log()
    (log,) = house.sockets.glob("*.log")
    assert reason in log.read_text()


def test_a_folder_that_others_can_enter_is_not_used(house):
    house.sockets.mkdir()
    house.sockets.chmod(0o777)
    assert not house.job()[0]["warm"]
    assert "not ours alone" in house.log()


def test_a_job_with_more_files_than_its_streams_runs_cold(house):
    command = f"{sys.executable} -I -S code/client.py job.py 3</dev/null"
    said = subprocess.run(["sh", "-c", command], cwd=house.folder, env=house.environment, capture_output=True).stdout
    job = json.loads(said.splitlines()[0])
    assert not job["warm"] and "3" in job["state"]["files"]


def test_without_a_run_and_for_other_commands_python_is_python(house):
    assert not house.job(ZOOMILL_WARM="")[0]["warm"]
    (house.folder / "job.py").rename(house.folder / "other.py")
    command = [sys.executable, "-I", "-S", "code/client.py", "other.py"]
    said = subprocess.run(command, cwd=house.folder, env=house.environment, capture_output=True).stdout
    assert not json.loads(said.splitlines()[0])["warm"]


# Asks for a job as the client does, but shut in or not, and under the name that it found before.
ASKS = """
import os, sys
sys.path[:0] = [{scripts!r}, {code!r}]
import client
from zoomill import sandbox
from zoomill.plan import warm
folder = client.private_folder({sockets!r})
(name,) = [one for one in os.listdir(folder) if len(one) == 32]
if sys.argv.pop() == "shut in":
    sandbox.enter(["."], [], sandbox.LOOPBACK)
client.private_folder, client.socket_name = lambda _: folder, lambda *_: name
client.only_streams = lambda: None
try:
    link, job = client.ask("1", {sockets!r}, ())
except OSError as error:
    sys.exit(str(error))
client.follow(link, job)
"""


def test_a_process_that_is_shut_in_gets_no_job_outside(house):
    assert house.job()[0]["warm"]
    places = {"scripts": str(REPOSITORY / "scripts"), "code": str(house.folder / "code"), "sockets": str(house.sockets)}
    command = [sys.executable, "-c", ASKS.format(**places), "job.py"]
    given = {"cwd": house.folder, "env": house.environment, "capture_output": True, "text": True}
    free, shut_in = (subprocess.run([*command, word], **given) for word in ("free", "shut in"))
    assert '"warm": true' in free.stdout, free.stderr
    assert shut_in.returncode == 1 and shut_in.stdout == "" and "Traceback" not in shut_in.stderr, shut_in.stderr
    assert "may not ask" in next(house.sockets.glob("*.log")).read_text()


def test_who_measures_a_job_finds_its_fork(house):
    sandbox._prctl(sandbox._SUBREAPER, 0)  # other tests let this process adopt orphans, as which a warm one begins
    house.job()
    client, job = house.begun("wait")
    found = [process.pid for process in warm._Job(os.getpid()).children(recursive=True)]
    client.terminate()
    client.wait()
    assert {client.pid, job["job"]} <= set(found) and job["parent"] not in found


def test_who_measures_a_job_looks_ever_less_often(monkeypatch):
    gaps = []
    monkeypatch.setattr(warm._Timer, "work", lambda timer: None)
    monkeypatch.setattr(benchmark.DaemonTimer, "start", lambda timer: gaps.append(timer.interval))
    timer = warm._Timer(os.getpid(), None)
    timer.start()
    for _ in range(21):
        timer._action()
    assert gaps[:12] == [*[0.5] * 10, 0.75, 1.125] and gaps[-2:] == [30, 30]


@pytest.mark.parametrize("wanted", [True, False])
def test_the_python_of_rules_is_the_client_only_where_that_is_wanted(house, tmp_path, monkeypatch, wanted):
    root = tmp_path / "it's {here} and $HOME"
    shutil.copytree(house.folder / "code", root / "envs/warm")
    monkeypatch.chdir(house.folder)
    monkeypatch.setenv("ZOOMILL_WARM", "1:/of/another/machine")
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable), prepend=os.pathsep)
    monkeypatch.setattr(shell, "_process_prefix", "")
    monkeypatch.setattr(benchmark, "BenchmarkTimer", benchmark.BenchmarkTimer)
    warm.begin(root, wanted)
    said = subprocess.run(["bash", "-c", f"{shell._process_prefix} python job.py 'a b'"], capture_output=True).stdout
    job = json.loads(said.splitlines()[0])
    assert job["warm"] == wanted == os.path.exists(warm.FOLDER) and job["state"]["argv"] == ["job.py", "a b"]
    assert ("ZOOMILL_WARM" in job["state"]["environ"]) == wanted
    if wanted:
        os.kill(job["parent"], signal.SIGKILL)


def test_every_command_that_runs_warm_exists():
    names = subprocess.run(
        [sys.executable, "-c", "import heavy; print(*heavy.IMPORTS)"],
        cwd=REPOSITORY / "envs/warm",
        text=True,
        capture_output=True,
    ).stdout.split()
    assert names and [name for name in names if not (REPOSITORY / f"scripts/{name}.py").exists()] == []


def test_no_command_with_a_network_runs_warm():
    text = (REPOSITORY / "envs/warm/heavy.py").read_text()
    for path in (REPOSITORY / "scripts").glob("*.py"):
        if f"network={sandbox.__name__.rpartition('.')[2]}." in path.read_text():
            assert path.stem not in text.split()
