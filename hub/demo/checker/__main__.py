"""`python -m hub.demo.checker`: the first act's checker alone."""

import sys

from hub.demo.checker.sample import main

sys.exit(main())
