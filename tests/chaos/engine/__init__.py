"""Engine under faults. A worker process installs its mutation here, before anything of the engine is imported."""

from tests.chaos import mutation_runner

mutation_runner.install_asked_for()
