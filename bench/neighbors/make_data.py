"""Writes rows and queries with the structure of frozen features: python make_data.py ROWS QUERIES COLUMNS FOLDER

Non-negative and sparse as after a ReLU, in 200 loose clusters, rows of length 1. Writes X.bin and Q.bin, float32.
"""

import sys
from pathlib import Path

import numpy as np

rows, queries, columns = (int(value) for value in sys.argv[1:4])
folder = Path(sys.argv[4])
source = np.random.default_rng(1)
centres = source.standard_normal((200, columns), dtype=np.float32) * np.float32(0.8)


def write(count, name):
    X = centres[source.integers(0, len(centres), count)]
    X += source.standard_normal(X.shape, dtype=np.float32)
    X -= np.float32(0.7)
    np.maximum(X, 0, out=X)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    X.tofile(folder / name)


write(rows, "X.bin")
write(queries, "Q.bin")
