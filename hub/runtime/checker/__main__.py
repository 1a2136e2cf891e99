"""`python -m hub.runtime.checker`: the first act's checker alone."""

import sys

from hub.runtime.checker.sample import main

sys.exit(main())
