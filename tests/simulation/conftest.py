"""The simulation drives the engine with the same driver as its tables do."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))
