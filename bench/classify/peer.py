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
from sklearn.svm import LinearSVC

task = json.loads(sys.argv[1])
name, folder = sys.argv[2], Path(sys.argv[3])
description = json.loads((folder / f"{name}.json").read_text())
columns = description["columns"]


def features(which):
    return np.fromfile(folder / f"{name}.{which}.bin", dtype=np.float32).reshape(-1, columns)


X, y = features("X"), np.fromfile(folder / f"{name}.y.bin", dtype=np.int32)
Xval, yval = features("Xval"), np.fromfile(folder / f"{name}.yval.bin", dtype=np.int32)
folds = [(np.array(fold["train"]), np.array(fold["val"])) for fold in description["folds"]]

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
else:
    raise SystemExit(f"unknown task {kind}")

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    started = time.perf_counter()
    model.fit(X, y)
    seconds = time.perf_counter() - started

choice = None
score = None
if kind == "logistic-cv":
    choice = float(np.ravel(model.C_)[0])
    scores = np.asarray(model.scores_)
    means = scores.reshape(len(folds), -1, len(task["Cs"])).mean(axis=(0, 1))
    score = float(means.max())
elif kind == "ridge-cv":
    choice = float(model.alpha_)
print(
    json.dumps(
        {
            "seconds": seconds,
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
