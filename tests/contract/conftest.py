"""Makes the planted shop of the other tests known here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
