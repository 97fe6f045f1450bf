"""Makes classify.json: what scikit-learn and scipy give on numbers that the tests make again by the same formulas.

    python -m venv v && v/bin/pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 && v/bin/python test/golden/make_classify.py
"""

import json
from pathlib import Path

import numpy as np
import scipy
import scipy.stats
import sklearn
from scipy.optimize import minimize, minimize_scalar
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression, RidgeClassifier, RidgeClassifierCV
from sklearn.metrics import log_loss, precision_recall_fscore_support, top_k_accuracy_score
from sklearn.svm import LinearSVC


def data(n, d, k):
    """Features and labels of test/classify/formula-data.ts; `imbalanced` labels leave out two thirds of class 0."""
    i = np.arange(n)[:, None]
    j = np.arange(d)[None, :]
    X = ((i * 7919 + j * 104729 + i * j * 31) % 1009) / 1009 + 0.3 * ((i + j) % k == 0)
    y = np.arange(n) % k
    keep = (y != 0) | (np.arange(n) % (3 * k) == 0)
    return X.astype(np.float32).astype(np.float64)[keep], y[keep]


SHAPES = [(60, 4, 3), (18, 40, 3), (60, 4, 2), (18, 40, 2)]


def facts(model, X):
    coef, intercept = np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
    return {"coef": coef[:, :3].tolist(), "intercept": intercept.tolist(), "decision": model.decision_function(X[:4]).tolist()}


def free_intercept_svm(X, y, C, weights):
    """LinearSVC's objective with an intercept that is not penalised, one class against the rest, by BFGS in float64."""
    positives = [1] if y.max() == 1 else range(y.max() + 1)
    coefs, intercepts = [], []
    for positive in positives:
        t = np.where(y == positive, 1.0, -1.0)
        s = weights(positive)

        def objective(v):
            gap = np.maximum(0, 1 - t * (X @ v[:-1] + v[-1]))
            slope = -2 * C * s * t * gap
            return v[:-1] @ v[:-1] / 2 + C * (s * gap**2).sum(), np.append(v[:-1] + X.T @ slope, slope.sum())

        v = np.zeros(X.shape[1] + 1)
        for _ in range(20):
            v = minimize(objective, v, jac=True, method="L-BFGS-B", options={"ftol": 0, "gtol": 1e-12, "maxiter": 10000, "maxcor": 50}).x
        coefs.append(v[:-1])
        intercepts.append(v[-1])
    coef, intercept = np.array(coefs), np.array(intercepts)
    decision = X[:4] @ coef.T + intercept
    return {
        "coef": coef[:, :3].tolist(),
        "intercept": intercept.tolist(),
        "decision": (decision[:, 0] if len(coefs) == 1 else decision).tolist(),
    }


golden = {"versions": {"scikit-learn": sklearn.__version__, "scipy": scipy.__version__, "numpy": np.__version__}}
fits = golden["fits"] = []
for n, d, k in SHAPES:
    X, y = data(n, d, k)
    for mode in ("none", "balanced"):
        class_weight = None if mode == "none" else "balanced"
        by_class = np.ones(k) if mode == "none" else len(y) / (k * np.bincount(y))
        shape = {"n": n, "d": d, "k": k, "classWeight": mode}
        for C in (1, 100):
            model = LogisticRegression(C=C, tol=1e-12, max_iter=2000, solver="newton-cholesky", class_weight=class_weight).fit(X, y)
            fits.append({**shape, "head": "logistic", "C": C, **facts(model, X), "proba": model.predict_proba(X[:6]).tolist()})
            # What LIBLINEAR does with class weights: several classes weigh the one class only, two weigh both.
            weights = (lambda p: by_class[y]) if k == 2 else (lambda p: np.where(y == p, by_class[p], 1.0))
            ours = free_intercept_svm(X, y, C, weights)
            fits.append({**shape, "head": "linear-svm", "C": C, **ours})
            # LinearSVC itself, whose intercept is hardly penalised with this scaling.
            svc = LinearSVC(C=C, dual=False, tol=1e-12, max_iter=1_000_000, intercept_scaling=100, class_weight=class_weight).fit(X, y)
            fits[-1]["linearSVC"] = svc.decision_function(X[:4]).tolist()
        for alpha in (0.01, 1, 10):
            model = RidgeClassifier(alpha=alpha, class_weight=class_weight).fit(X, y)
            fits.append({**shape, "head": "ridge", "alpha": alpha, **facts(model, X)})
        alphas = [0.001, 0.01, 0.1, 1, 10, 100, 1000]
        model = RidgeClassifierCV(alphas=alphas, class_weight=class_weight, store_cv_results=True).fit(X, y)
        errors = model.cv_results_.reshape(-1, len(alphas)).mean(axis=0)
        fits.append({**shape, "head": "ridge-cv", "alphas": alphas, "alpha": model.alpha_, "errors": errors.tolist(), **facts(model, X)})

# The example of metrics.test.ts.
i = np.arange(40)[:, None]
j = np.arange(4)[None, :]
P = (((i * 37 + j * 101 + i * j * 17) % 97) + 1).astype(float)
P = (P / P.sum(1, keepdims=True)).astype(np.float32)
y = np.where(np.arange(40) % 3 == 0, (np.arange(40) * 7) % 4, P.argmax(1))


def calibration_error(P, y, bins):
    """Guo et al. 2017, equation 3: bins ((m-1)/M, m/M] of the top probability."""
    top, right = P.max(1).astype(np.float64), P.argmax(1) == y
    index = np.ceil(top * bins).astype(int) - 1
    return sum(abs(right[index == b].sum() - top[index == b].sum()) for b in range(bins) if (index == b).any()) / len(y)


def at_temperature(T):
    scaled = np.log(P.astype(np.float64)) / T
    scaled = np.exp(scaled - scaled.max(1, keepdims=True))
    return scaled / scaled.sum(1, keepdims=True)


found = minimize_scalar(lambda s: log_loss(y, at_temperature(np.exp(s)), labels=range(4)), bounds=(-4, 6), method="bounded", options={"xatol": 1e-10})
precision, recall, f1, support = precision_recall_fscore_support(y, P.argmax(1), labels=range(4), zero_division=0)
golden["metrics"] = {
    "calibrationError": {str(bins): calibration_error(P, y, bins) for bins in (5, 10, 15)},
    "temperature": float(np.exp(found.x)),
    "lossAtTemperature": float(found.fun),
    "topK": {str(k): top_k_accuracy_score(y, P + np.float32(1e-6) * -np.arange(4), k=k, labels=range(4)) for k in (1, 2, 3)},
    "precision": precision.tolist(),
    "recall": recall.tolist(),
    "f1": f1.tolist(),
    "mcnemar": [[b, c, binomtest(min(b, c), b + c).pvalue] for b, c in ((1, 9), (0, 5), (12, 15), (40, 70), (600, 700), (3, 3))],
}
# Two heads on 150 rows: differences of right (1) and wrong (0), as the test makes them.
a = (np.arange(150) * 7 % 11 < 9).astype(float)
b = (np.arange(150) * 5 % 13 < 10).astype(float)
interval = scipy.stats.bootstrap((a - b,), np.mean, method="percentile", n_resamples=100_000, rng=np.random.default_rng(1)).confidence_interval
golden["bootstrap"] = {"difference": float((a - b).mean()), "interval": [interval.low, interval.high]}
path = Path(__file__).with_name("classify.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
print(path, path.stat().st_size)
