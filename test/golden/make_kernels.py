"""Makes kernels.json: kernel heads by scikit-learn and in float64, on numbers that the tests make again by the same formulas.

    python -m venv v && v/bin/pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 && v/bin/python test/golden/make_kernels.py

Kernel ridge is scikit-learn's KernelRidge on targets of -1 and 1, its leave-one-out errors those of refits without each row. Kernel
logistic regression has no twin there: its objective, written out below in the span of the rows, is minimised by scipy in float64 and then
by Newton's method until nothing moves.
"""

import json
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy.optimize import minimize
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import euclidean_distances, rbf_kernel


def data(n, d, k):
    """Features and labels of test/classify/formula-data.ts, without two thirds of class 0."""
    i = np.arange(n)[:, None]
    j = np.arange(d)[None, :]
    X = ((i * 7919 + j * 104729 + i * j * 31) % 1009) / 1009 + 0.3 * ((i + j) % k == 0)
    y = np.arange(n) % k
    keep = (y != 0) | (np.arange(n) % (3 * k) == 0)
    return X.astype(np.float32).astype(np.float64)[keep], y[keep]


def median_gamma(X):
    squares = euclidean_distances(X, squared=True)[np.tril_indices(len(X), -1)]
    return float(1 / np.median(squares[squares > 0]))


def targets(y, k):
    return np.stack([np.where(y == c, 1.0, -1.0) for c in ([1] if k == 2 else range(k))], 1)


def kernel_logistic(X, y, k, gamma, C, weights, Q):
    """C * sum of weighted cross-entropies + sum_c a_c' K a_c / 2, f = K a + b, b free. Decision values of Q."""
    K, n, columns = rbf_kernel(X, gamma=gamma), len(X), 1 if k == 2 else k
    Y = np.stack([y == c for c in range(k)], 1).astype(float)

    def parts(v):
        a, b = v[: n * columns].reshape(n, columns), v[n * columns :]
        F = K @ a + b
        full = np.concatenate([np.zeros((n, 1)), F], 1) if k == 2 else F
        full = full - full.max(1, keepdims=True)
        P = np.exp(full)
        P /= P.sum(1, keepdims=True)
        return a, F, full, P

    def objective(v):
        a, _, full, P = parts(v)
        loss = (weights * (np.log(np.exp(full).sum(1)) - (full * Y).sum(1))).sum()
        R = C * weights[:, None] * (P - Y)
        R = R[:, 1:] if k == 2 else R
        Ka = K @ a
        return C * loss + (a * Ka).sum() / 2, np.concatenate([(K @ R + Ka).ravel(), R.sum(0)])

    v = np.zeros(n * columns + columns)
    v = minimize(objective, v, jac=True, method="L-BFGS-B", options={"ftol": 0, "gtol": 1e-6, "maxiter": 300}).x
    # Stationary where a = -C * residuals: Newton's steps on that and on the intercepts' equation, which fix what scipy leaves.
    for _ in range(6):
        a, _, _, P = parts(v)
        P, own = (P[:, 1:], Y[:, 1:]) if k == 2 else (P, Y)
        R = C * weights[:, None] * (P - own)
        residual = np.concatenate([(a + R).ravel(), R.sum(0)])
        H = np.einsum("ic,cd->icd", P, np.eye(columns)) - np.einsum("ic,id->icd", P, P)
        H *= C * weights[:, None, None]
        J = np.eye(n * columns + columns)
        J[n * columns :, n * columns :] = 0
        full = np.einsum("icd,ij->icjd", H, K).reshape(n * columns, n * columns)
        J[: n * columns, : n * columns] += full
        J[: n * columns, n * columns :] = H.reshape(n * columns, columns)
        J[n * columns :, : n * columns] = full.reshape(n, columns, n * columns).sum(0)
        J[n * columns :, n * columns :] = H.sum(0)
        # The intercepts of several classes are free up to a common shift: the least step.
        v = v - np.linalg.lstsq(J, residual, rcond=1e-13)[0]
    assert np.abs(residual).max() < 1e-9, np.abs(residual).max()
    a, b = v[: n * columns].reshape(n, columns), v[n * columns :]
    F = rbf_kernel(Q, X, gamma=gamma) @ a + b
    if k == 2:
        p = 1 / (1 + np.exp(-F[:, 0]))
        return np.stack([1 - p, p], 1)
    P = np.exp(F - F.max(1, keepdims=True))
    return P / P.sum(1, keepdims=True)


def left_out_errors(X, T, gamma, alpha, weights):
    """Mean squared error of each row by the model of the others, times its weight."""
    total = 0
    for i in range(len(X)):
        others = np.arange(len(X)) != i
        model = KernelRidge(alpha=alpha, kernel="rbf", gamma=gamma).fit(X[others], T[others], sample_weight=weights[others])
        total += weights[i] * ((T[i] - model.predict(X[i : i + 1])[0]) ** 2).sum()
    return total / T.size


golden = {"versions": {"scikit-learn": sklearn.__version__, "scipy": scipy.__version__, "numpy": np.__version__}, "fits": []}
for n, d, k in [(60, 4, 3), (30, 40, 3), (60, 4, 2), (30, 40, 2)]:
    X, y = data(n, d, k)
    # Rows that were not trained on: those of the formula that follow.
    Q = data(n + 30, d, k)[0][-6:]
    T = targets(y, k)
    for mode in ("none", "balanced"):
        weights = np.ones(len(y)) if mode == "none" else (len(y) / (k * np.bincount(y)))[y]
        shape = {"n": n, "d": d, "k": k, "classWeight": mode, "medianGamma": median_gamma(X)}
        for gamma in (median_gamma(X), 0.2):
            for alpha in (0.01, 0.1, 1):
                model = KernelRidge(alpha=alpha, kernel="rbf", gamma=gamma).fit(X, T, sample_weight=weights)
                golden["fits"].append(
                    {
                        **shape,
                        "head": "kernel-ridge",
                        "gamma": gamma,
                        "alpha": alpha,
                        "decision": model.predict(Q).tolist(),
                        "leaveOneOut": left_out_errors(X, T, gamma, alpha, weights),
                    }
                )
            for C in (1, 100):
                proba = kernel_logistic(X, y, k, gamma, C, weights, Q)
                golden["fits"].append({**shape, "head": "kernel-logistic", "gamma": gamma, "C": C, "proba": proba.tolist()})

path = Path(__file__).with_name("kernels.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
print(path, path.stat().st_size)
