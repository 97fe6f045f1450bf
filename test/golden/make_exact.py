"""Makes exact.json: decision values of the true optimum on wide, long rows with a weak penalty, by numbers that the test makes again.

    python -m venv v && v/bin/pip install numpy==2.4.6 scikit-learn==1.9.1 && v/bin/python test/golden/make_exact.py

The optimum of C * sum of losses + |w|^2 / 2 with a free intercept, in the span of the centred rows, all float64, by Newton's method until
nothing moves. scikit-learn's LogisticRegression stands beside it at its tightest tolerance, by both of its solvers that take wide rows.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeClassifier

N, D, C, LENGTH = 60, 2000, 10_000, 100


def rows(first, count):
    """Rows of length 100 of test/classify/exact-optimum.test.ts, float32."""
    i, j = np.arange(first, first + count)[:, None], np.arange(D)[None, :]
    h = (i * 7919 + j * 104729 + i * j * 31) % 1009 / 1009 + ((i * i * 17 + j * j * 5 + i * j * 7) % 2003) / 2003
    h = np.maximum(0, h - 0.8 + 0.15 * ((i + j) % 2 == 0))
    return (h / np.sqrt((h * h).sum(1, keepdims=True)) * LENGTH).astype(np.float32).astype(np.float64)


X, V = rows(0, N), rows(N, 20)
# Every seventh label is turned, so that no plane is far from all rows.
y = (np.arange(N) + (np.arange(N) % 7 == 0)) % 2
t = np.where(y == 1, 1.0, -1.0)
mean = X.mean(0)
K, KV = (X - mean) @ (X - mean).T, (V - mean) @ (X - mean).T


def logistic(f):
    small = np.exp(-np.abs(f))
    p = np.where(f >= 0, 1, small) / (1 + small)
    return np.logaddexp(0, -t * f).sum(), p - y, p * (1 - p)


def hinge(f):
    gap = np.maximum(0, 1 - t * f)
    return (gap**2).sum(), -2 * t * gap, 2.0 * (gap > 0)


def squares(f):
    return ((f - t) ** 2).sum() / 2, f - t, np.ones(N)


def solve(loss):
    a, b = np.zeros(N), 0.0
    objective = lambda a, b: C * loss(K @ a + b)[0] + a @ K @ a / 2
    for _ in range(500):
        _, g, h = loss(K @ a + b)
        A = np.zeros((N + 1, N + 1))
        A[:N, :N] = (h * C)[:, None] * K + np.eye(N)
        A[:N, N], A[N, :N] = h * C, 1
        step = np.linalg.solve(A, np.append(-(C * g + a), -a.sum()))
        length, here = 1.0, objective(a, b)
        while length > 1e-9 and objective(a + length * step[:N], b + length * step[N]) > here + 1e-13 * abs(here):
            length /= 2
        a, b = a + length * step[:N], b + length * step[N]
        if np.abs(length * step[:N]).max() <= 1e-14 * max(1, np.abs(a).max()):
            break
    gradient = np.abs(C * loss(K @ a + b)[1] + a).max() / np.abs(a).max()
    return KV @ a + b, gradient


probability = lambda f: 1 / (1 + np.exp(-f))
golden = {"n": N, "d": D, "C": C, "labels": y.tolist(), "heads": {}, "scikitLearn": {}}
for name, loss in (("logistic", logistic), ("linear-svm", hinge), ("ridge", squares)):
    decision, gradient = solve(loss)
    golden["heads"][name] = decision.tolist()
    print(name, "gradient left:", gradient)
for solver in ("lbfgs", "newton-cg"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = LogisticRegression(C=C, tol=1e-14, max_iter=100_000, solver=solver).fit(X, y).decision_function(V)
    golden["scikitLearn"][solver] = found.tolist()
    print(solver, np.abs(probability(found) - probability(np.array(golden["heads"]["logistic"]))).max())
ridge = RidgeClassifier(alpha=1 / C, solver="cholesky").fit(X, y).decision_function(V)
print("ridge, scikit-learn:", np.abs(ridge - golden["heads"]["ridge"]).max())
Path(__file__).with_name("exact.json").write_text(json.dumps(golden, indent=2) + "\n")
