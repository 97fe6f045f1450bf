"""Makes features.json: what scikit-learn gives for `lda`, `sqrt` and `power`, and numpy for `gem`, on numbers that the tests make again.

    python -m venv v && v/bin/pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 && v/bin/python test/golden/make_features.py
"""

import json
from pathlib import Path

import numpy as np
import scipy
import sklearn
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import PowerTransformer, normalize


def data(n, d, k):
    """Features and labels of test/classify/heads/formula-data.ts, two thirds of class 0 left out."""
    i = np.arange(n)[:, None]
    j = np.arange(d)[None, :]
    X = ((i * 7919 + j * 104729 + i * j * 31) % 1009) / 1009 + 0.3 * ((i + j) % k == 0)
    y = np.arange(n) % k
    keep = (y != 0) | (np.arange(n) % (3 * k) == 0)
    return X.astype(np.float32).astype(np.float64)[keep], y[keep]


golden = {"versions": {"scikit-learn": sklearn.__version__, "scipy": scipy.__version__, "numpy": np.__version__}}
lda = golden["lda"] = []
for n, d, k, shrinkages in [(60, 4, 3, ("auto", 0, 0.3, 1)), (60, 4, 2, ("auto", 0, 0.3, 1)), (60, 90, 3, ("auto", 0.3)), (60, 90, 2, ("auto", 0.3))]:
    X, y = data(n, d, k)
    for shrinkage in shrinkages:
        model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(X, y)
        lda.append({"n": n, "d": d, "k": k, "shrinkage": shrinkage, "proba": model.predict_proba(X).tolist()})

# Columns of the test: as after a ReLU, with both signs, mostly zeros, constant, far from zero.
i = np.arange(50)
u = ((i * 7919) % 1009) / 1009
columns = [np.maximum(0, u - 0.4) * 5, u * 4 - 2, np.where(i % 10 == 0, u, 0), np.full(50, 0.1), 100 + u, u**6 * 300, -(u**4) * 20]
X = np.stack(columns, 1).astype(np.float32).astype(np.float64)
power = PowerTransformer(method="yeo-johnson", standardize=True).fit(X)
golden["power"] = {"lambdas": power.lambdas_.tolist(), "transformed": power.transform(X).tolist()}
golden["sqrt"] = normalize(np.sign(X) * np.sqrt(np.abs(X))).tolist()

# gem: Radenovic, Tolias and Chum 2018, equation 3, p = 3, with their clamp at 1e-6; maps of 2 images, 3 x 3 pixels, 4 channels.
at = np.arange(2 * 3 * 3 * 4)
maps = np.maximum(0, ((at * 7919) % 1009) / 1009 * 60 - 20).astype(np.float32).astype(np.float64).reshape(2, 9, 4)
maps[:, :, 3] = 0
golden["gem"] = ((np.maximum(maps, 1e-6) ** 3).mean(1) ** (1 / 3)).tolist()
path = Path(__file__).with_name("features.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
print(path, path.stat().st_size)
