"""What every peer's script has in common: its options, how its steps are timed, and the JSON line it prints, the same
as the `training-step` benchmark's.
"""

import argparse
import contextlib
import json
import resource
import statistics
import sys
import time


def parser():
    """The options of every peer; a script adds its own."""
    options = argparse.ArgumentParser()
    options.add_argument("--net", default="resnet50")
    options.add_argument("--size", type=int, default=224)
    options.add_argument("--batch", type=int, default=16)
    options.add_argument("--classes", type=int, default=10)
    options.add_argument("--steps", type=int, default=3)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--infer", action="store_true")
    return options


@contextlib.contextmanager
def quiet_output():
    """Standard output is for the JSON line alone: what a peer's library prints there goes to standard error."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def peak_megabytes():
    """Not ru_maxrss where it can be helped: that begins with the memory of the process which started this one."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def time_steps(step, options, **facts):
    """Does one step unseen, times the others, and prints the median."""
    cpu, wall = [], []
    with quiet_output():
        step()
        for _ in range(options.steps):
            cpu_start, wall_start = time.process_time(), time.perf_counter()
            step()
            cpu.append(time.process_time() - cpu_start)
            wall.append(time.perf_counter() - wall_start)
    shape = {"net": options.net, "size": options.size, "batch": options.batch, "threads": options.threads}
    rates = {
        "img_per_cpu_s": options.batch / statistics.median(cpu),
        "img_per_s": options.batch / statistics.median(wall),
        "peak_mb": peak_megabytes(),
    }
    print(json.dumps({**facts, **shape, **rates}))
