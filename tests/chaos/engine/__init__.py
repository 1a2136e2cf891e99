"""Engine under faults. A worker process takes a mend out here, before anything of the engine is imported."""

from tests.chaos import take_outs

take_outs.take_out_asked_for()
