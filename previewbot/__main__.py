"""`python -m previewbot`."""

import sys

from previewbot.cli import main

sys.exit(main())
