"""One task of scikit-learn: python peer.py TASK DATA FOLDER. Prints one line of JSON: seconds of the fit, choice, predictions."""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    RidgeClassifierCV,
)
from sklearn.kernel_ridge import KernelRidge
from sklearn.svm import SVC, LinearSVC

task = json.loads(sys.argv[1])
name, folder = sys.argv[2], Path(sys.argv[3])
description = json.loads((folder / f"{name}.json").read_text())
columns = description["columns"]


def features(which):
    return np.fromfile(folder / f"{name}.{which}.bin", dtype=np.float32).reshape(-1, columns)


X, y = features("X"), np.fromfile(folder / f"{name}.y.bin", dtype=np.int32)
Xval, yval = features("Xval"), np.fromfile(folder / f"{name}.yval.bin", dtype=np.int32)
folds = [(np.array(fold["train"]), np.array(fold["val"])) for fold in description["folds"]]


class KernelRidgeClassifier:
    """KernelRidge on targets of -1 and 1, one class against the rest; of several gammas and alphas those of the best mean accuracy."""

    def __init__(self, gammas, alphas):
        self.gammas, self.alphas = gammas, alphas

    def fitted(self, X, y, gamma, alpha):
        T = np.where(y[:, None] == np.arange(y.max() + 1), 1.0, -1.0).astype(np.float32)
        return KernelRidge(alpha=alpha, kernel="rbf", gamma=gamma).fit(X, T)

    def fit(self, X, y):
        pairs = [(gamma, alpha) for gamma in self.gammas for alpha in self.alphas]
        self.means_ = []
        for gamma, alpha in pairs if len(pairs) > 1 else []:
            right = [(self.fitted(X[a], y[a], gamma, alpha).predict(X[b]).argmax(1) == y[b]).mean() for a, b in folds]
            self.means_.append(np.mean(right))
        self.pair_ = pairs[int(np.argmax(self.means_))] if self.means_ else pairs[0]
        self.model_ = self.fitted(X, y, *self.pair_)
        return self

    def predict(self, X):
        return self.model_.predict(X).argmax(1)


kind = task["kind"]
if kind == "logistic-cv":
    model = LogisticRegressionCV(
        Cs=task["Cs"], cv=folds, tol=task["tol"], max_iter=10_000, use_legacy_attributes=False, l1_ratios=(0,)
    )
elif kind == "logistic":
    model = LogisticRegression(C=task["C"], tol=task["tol"], max_iter=10_000)
elif kind == "ridge-cv":
    model = RidgeClassifierCV(alphas=task["alphas"])
elif kind == "linear-svm":
    model = LinearSVC(C=task["C"], dual="auto", tol=task["tol"], max_iter=100_000)
elif kind == "kernel-ridge":
    model = KernelRidgeClassifier([task["gamma"]], [task["alpha"]])
elif kind == "kernel-ridge-cv":
    model = KernelRidgeClassifier(task["gammas"], task["alphas"])
elif kind == "kernel-logistic":
    # The nearest that scikit-learn has: the hinge loss on the same kernel.
    model = SVC(C=task["C"], gamma=task["gamma"], tol=task["tol"], decision_function_shape="ovr")
else:
    raise SystemExit(f"unknown task {kind}")

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    started, started_processor = time.perf_counter(), time.process_time()
    model.fit(X, y)
    seconds, processor_seconds = time.perf_counter() - started, time.process_time() - started_processor

choice = None
score = None
if kind == "logistic-cv":
    choice = float(np.ravel(model.C_)[0])
    scores = np.asarray(model.scores_)
    means = scores.reshape(len(folds), -1, len(task["Cs"])).mean(axis=(0, 1))
    score = float(means.max())
elif kind == "ridge-cv":
    choice = float(model.alpha_)
elif kind == "kernel-ridge-cv":
    choice, score = float(model.pair_[1]), float(max(model.means_))
print(
    json.dumps(
        {
            "seconds": seconds,
            "processorSeconds": processor_seconds,
            "choice": choice,
            "score": score,
            "predictions": model.predict(Xval).tolist(),
            "accuracy": float((model.predict(Xval) == yval).mean()),
            "iterations": np.max(model.n_iter_).item() if getattr(model, "n_iter_", None) is not None else None,
            "notConverged": any(issubclass(w.category, ConvergenceWarning) for w in caught),
            "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__, "python": sys.version.split()[0]},
        }
    )
)
