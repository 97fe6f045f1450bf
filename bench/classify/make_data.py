"""Writes arrays with the structure of frozen features: python make_data.py ROWS COLUMNS CLASSES NAME FOLDER SIGNAL

Non-negative and sparse as after a ReLU (about three quarters are zero), a few dozen common factors, a class signal in some of them,
noise in every column, rows of length 1. The noise is set so that a good head is right in 85 to 95 % of the rows, as on photographs.
Writes NAME.X.bin and NAME.y.bin (train), NAME.Xval.bin and NAME.yval.bin, float32 and int32, and NAME.json with shapes and folds.
"""

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold

rows, columns, classes = (int(value) for value in sys.argv[1:4])
name, folder = sys.argv[4], Path(sys.argv[5])
FACTORS = 48
# Fewer rows need more signal to be told apart: chosen so that scikit-learn is right in 90 to 97 % of the held-out rows.
SIGNAL = float(sys.argv[6])
VALIDATION_ROWS = max(150, rows // 5)

source = np.random.default_rng(20)
total = rows + VALIDATION_ROWS
y = np.arange(total, dtype=np.int32) % classes
source.shuffle(y)
centres = source.normal(0, SIGNAL, (classes, FACTORS)) * (source.random(FACTORS) < 0.5)
factors = centres[y] + source.normal(0, 1, (total, FACTORS))
loadings = source.normal(0, 1 / np.sqrt(FACTORS), (FACTORS, columns)).astype(np.float32)
X = factors.astype(np.float32) @ loadings
X += source.standard_normal(X.shape, dtype=np.float32) * np.float32(0.8)
X -= np.float32(0.9)
np.maximum(X, 0, out=X)
X /= np.linalg.norm(X, axis=1, keepdims=True)

X[:rows].tofile(folder / f"{name}.X.bin")
X[rows:].tofile(folder / f"{name}.Xval.bin")
y[:rows].tofile(folder / f"{name}.y.bin")
y[rows:].tofile(folder / f"{name}.yval.bin")
folds = StratifiedKFold(5, shuffle=True, random_state=0).split(np.zeros(rows), y[:rows])
description = {
    "rows": rows,
    "columns": columns,
    "classes": classes,
    "validationRows": VALIDATION_ROWS,
    "zeros": float((X == 0).mean()),
    "folds": [{"train": train.tolist(), "val": val.tolist()} for train, val in folds],
}
(folder / f"{name}.json").write_text(json.dumps(description))
