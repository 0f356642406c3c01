"""Slurm on this one machine: a controller, a node and munge, all of whose files are in one folder.

The system's own Slurm and munge, if it has any, are neither read nor changed, and no rights of root are needed.
"""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "sinfo", "srun")
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,batch_sched_delay=0
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=16000 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing_programs():
    """Return the names of the programs of Slurm and munge that this machine lacks."""
    return [name for name in PROGRAMS if not shutil.which(name)]


@contextlib.contextmanager
def cluster(folder):
    """Run a cluster and yield the environment in which sbatch reaches it; stop its daemons whatever happens.

    Its node has 4 CPUs and 16 GB, whatever this machine has, as small nodes of real clusters do.

    Args:
        folder: an empty one, with a path short enough for a socket.

    Raises:
        RuntimeError: when the node does not come up, with the logs.
    """
    for name in ("state", "spool"):
        (folder / name).mkdir()
    configuration = folder / "slurm.conf"
    host = socket.gethostname().split(".")[0]
    configuration.write_text(
        CONFIGURATION.format(folder=folder, host=host, user=getpass.getuser(), ports=free_ports(2))
    )
    environment = {**os.environ, "SLURM_CONF": str(configuration)}
    environment["PATH"] = os.pathsep.join([str(srun(folder, configuration)), environment["PATH"]])
    with contextlib.ExitStack() as stack:
        for command in (munge(folder), ["slurmctld", "-D"], ["slurmd", "-D"]):
            log = stack.enter_context(open(folder / f"{command[0]}.out", "wb"))
            daemon = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
            stack.callback(stop, daemon)
        wait_until_idle(folder, environment)
        yield environment


def munge(folder):
    """Return the command line of a munged with a key, socket and log of its own."""
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(128))
    files = {name: folder / f"munge.{name}" for name in ("socket", "pid", "seed", "log")}
    return [
        "munged",
        "--foreground",
        "--force",  # below a folder that all may write to, as /tmp
        f"--key-file={key}",
        f"--socket={files['socket']}",
        f"--pid-file={files['pid']}",
        f"--seed-file={files['seed']}",
        f"--log-file={files['log']}",
    ]


def srun(folder, configuration):
    """Return a folder with an srun that knows the configuration: inside a job Snakemake's plugin hides SLURM_CONF."""
    wrapper = folder / "bin/srun"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nSLURM_CONF={configuration} exec {shutil.which("srun")} "$@"\n')
    wrapper.chmod(0o755)
    return wrapper.parent


def free_ports(count):
    """Return numbers of ports that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]


def wait_until_idle(folder, environment, seconds=60):
    """Wait until the node takes jobs."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        command = ["sinfo", "--noheader", "--format=%T"]
        if subprocess.run(command, env=environment, text=True, capture_output=True).stdout.strip() == "idle":
            return
        time.sleep(0.2)
    logs = "\n".join(f"{path.name}:\n{path.read_text()}" for path in (*folder.glob("*.log"), *folder.glob("*.out")))
    raise RuntimeError(f"the node did not come up in {seconds} s\n{logs}")


def stop(daemon):
    """End a daemon that was started here."""
    daemon.terminate()
    try:
        daemon.wait(10)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()
