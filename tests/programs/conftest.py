import sys
from pathlib import Path

# Songs and tiny models are made by the same code as in the tests of the audio room.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "audio")]
