"""Open and compile the bundle named by the first argument, as the agent does."""

import sys
from pathlib import Path

from processing.inference.bundle import Bundle
from processing.inference.engine import Engine

if __name__ == "__main__":
    Engine.open(Bundle.open(Path(sys.argv[1]))).close()
