"""What runs in the measured processes. The clock starts here, before any other line of theirs."""

import time

BEGAN, BURNT = time.perf_counter(), time.process_time()
