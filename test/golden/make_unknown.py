"""Makes unknown.json: scikit-learn's AUROC of numbers that test/classify/unknown/auroc.test.ts makes again by the same formulas.

    python -m venv v && v/bin/pip install numpy==2.4.6 scikit-learn==1.9.1 && v/bin/python test/golden/make_unknown.py
"""

import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.metrics import roc_auc_score


def values(n, step, modulus, shift):
    return ((np.arange(n) * step) % modulus) / modulus + shift


cases = []
for positives, negatives, modulus, shift in [(40, 60, 101, 0.0), (40, 60, 101, 0.35), (7, 200, 5, 0.2), (200, 7, 5, -0.4), (1, 1, 3, 0.0)]:
    a, b = values(positives, 7919, modulus, shift), values(negatives, 31, modulus, 0)
    truth = np.r_[np.ones(positives), np.zeros(negatives)]
    case = {"positives": positives, "negatives": negatives, "modulus": modulus, "shift": shift}
    cases.append({**case, "auroc": float(roc_auc_score(truth, np.r_[a, b]))})

out = {"versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__}, "auroc": cases}
(Path(__file__).parent / "unknown.json").write_text(json.dumps(out, indent=1) + "\n")
