"""`python -m opencram` is `opencram`."""

import sys

from opencram.cli import main

sys.exit(main())
