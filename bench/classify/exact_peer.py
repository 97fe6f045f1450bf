"""Decision values of scikit-learn and of a float64 Newton solve, for exact.mjs: python exact_peer.py FOLDER NAME SCALE C...

The reference minimises C * sum of losses + |w|^2 / 2 over w and a free intercept in the span of the centred rows, Gram matrix and all else
float64, by Newton's method until nothing moves. It shares no code with either side. Writes FOLDER/exact.json.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression, RidgeClassifier

folder, name, scale = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
strengths = [float(value) for value in sys.argv[4:]]
columns = json.loads((folder / f"{name}.json").read_text())["columns"]


def features(which):
    rows = np.fromfile(folder / f"{name}.{which}.bin", dtype=np.float32).reshape(-1, columns)
    return (rows * np.float32(scale)).astype(np.float64)


X, y, V = features("X"), np.fromfile(folder / f"{name}.y.bin", dtype=np.int32), features("Xval")
n = len(X)
mean = X.mean(0)
K = (X - mean) @ (X - mean).T
KV = (V - mean) @ (X - mean).T
t = np.where(y == 1, 1.0, -1.0)


def logistic(f):
    p = np.where(f >= 0, 1 / (1 + np.exp(-np.abs(f))), np.exp(-np.abs(f)) / (1 + np.exp(-np.abs(f))))
    return np.logaddexp(0, -t * f).sum(), p - y, p * (1 - p)


def hinge(f):
    gap = np.maximum(0, 1 - t * f)
    return (gap**2).sum(), -2 * t * gap, 2.0 * (gap > 0)


def squares(f):
    return ((f - t) ** 2).sum() / 2, f - t, np.ones(n)


def solve(loss, C):
    """Coefficients a of the rows and the intercept b: w = sum of a_i x_i."""
    a, b = np.zeros(n), 0.0
    objective = lambda a, b: C * loss(K @ a + b)[0] + a @ K @ a / 2
    for _ in range(200):
        f = K @ a + b
        _, g, h = loss(f)
        # Newton: (h C K + 1) da + h C db = -(C g + a), sum over rows of the new a is 0.
        A = np.zeros((n + 1, n + 1))
        A[:n, :n] = (h * C)[:, None] * K + np.eye(n)
        A[:n, n] = h * C
        A[n, :n] = 1
        step = np.linalg.solve(A, np.append(-(C * g + a), -a.sum()))
        length, here = 1.0, objective(a, b)
        while length > 1e-9 and objective(a + length * step[:n], b + length * step[n]) > here + 1e-13 * abs(here):
            length /= 2
        a, b = a + length * step[:n], b + length * step[n]
        if np.abs(length * step[:n]).max() <= 1e-13 * max(1, np.abs(a).max()):
            break
    return a, b


found = {"versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__}, "spread": float(np.trace(K) / n), "results": []}
for C in strengths:
    for head, loss in (("logistic", logistic), ("linear-svm", hinge), ("ridge", squares)):
        a, b = solve(loss, C)
        result = {"head": head, "C": C, "reference": (KV @ a + b).tolist(), "scikitLearn": {}}
        models = {}
        if head == "logistic":
            for solver in ("lbfgs", "newton-cg"):
                models[solver] = LogisticRegression(C=C, tol=1e-14, max_iter=100_000, solver=solver)
        if head == "ridge":
            models["cholesky"] = RidgeClassifier(alpha=1 / C, solver="cholesky")
        for solver, model in models.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result["scikitLearn"][solver] = model.fit(X, y).decision_function(V).tolist()
        found["results"].append(result)
(folder / "exact.json").write_text(json.dumps(found))
