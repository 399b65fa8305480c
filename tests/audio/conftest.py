import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))

# Networks as small as these gain nothing from a second thread, and lose much where the cores are busy.
torch.set_num_threads(1)
