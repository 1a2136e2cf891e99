"""Engine under faults. A worker process takes a mend out here, before anything of the engine is imported."""

from tests.chaos import mends

mends.take_out_asked_for()
