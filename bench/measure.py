"""Runs a command and prints one line of JSON: its wall time, CPU time, peak memory, exit code and stdout.

The same yardstick for every variant: getrusage of the child, read from outside of it.
"""

import json
import resource
import subprocess
import sys
import time

started = time.monotonic()
child = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True, check=False)
wall = time.monotonic() - started
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
# ru_maxrss is in KiB on Linux and in bytes on macOS (getrusage(2) of each).
rss_unit = 1 if sys.platform == "darwin" else 1024
print(
    json.dumps(
        {
            "wallSeconds": wall,
            "cpuSeconds": usage.ru_utime + usage.ru_stime,
            "peakRssMiB": usage.ru_maxrss * rss_unit / 2**20,
            "exitCode": child.returncode,
            "stdout": child.stdout,
        }
    )
)
