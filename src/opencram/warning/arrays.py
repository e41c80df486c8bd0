"""Names for the flat arrays of this package."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
