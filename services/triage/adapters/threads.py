"""How many threads numeric libraries take, as environments of processes: they read them when they are loaded."""

import os
from typing import Final

ONE_THREAD: Final = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
"""Of a process that shares the machine with others like it."""
OF_A_WORKER: Final = {
    **ONE_THREAD,
    "OMP_NUM_THREADS": str(min(2, os.cpu_count() or 1)),
    "OMP_WAIT_POLICY": "passive",
}
"""Of a classification worker. Only the second encoder takes its threads from OpenMP: two are a third faster where a core is
free and no slower where none is, as long as they do not wait for each other spinning (two workers so: 1.6 s a text)."""
