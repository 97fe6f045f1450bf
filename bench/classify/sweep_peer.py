"""The candidates of a sweep by scikit-learn: python sweep_peer.py FOLDER. Prints one line of JSON: seconds of the fit, mean accuracies.

FOLDER has pooled.*.bin of make_data.py, candidates.json, and folds.json: for each row the fold that it is held out in.
"""

import json
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.svm import LinearSVC

folder = Path(sys.argv[1])
description = json.loads((folder / "pooled.json").read_text())
X = np.fromfile(folder / "pooled.X.bin", dtype=np.float32).reshape(-1, description["columns"])
y = np.fromfile(folder / "pooled.y.bin", dtype=np.int32)
candidates = json.loads((folder / "candidates.json").read_text())
folds = np.array(json.loads((folder / "folds.json").read_text()))


def head(name, params):
    if name == "logistic":
        return LogisticRegression(C=params["C"], tol=params["tol"], max_iter=1000)
    if name == "linear-svm":
        # A free intercept, as in permafrost, is what a scaled one comes near to.
        return LinearSVC(C=params["C"], tol=params["tol"], intercept_scaling=100, dual="auto", max_iter=10_000)
    if name == "ridge":
        return RidgeClassifier(alpha=params["alpha"])
    if name == "knn":
        return KNeighborsClassifier(params["nNeighbors"], metric=params["metric"], weights=params["weights"])
    raise SystemExit(f"unknown head {name}")


NORMALIZERS = {"l2": Normalizer, "standard": StandardScaler}
grid = [
    {
        "normalize": [NORMALIZERS[one["normalize"]]()],
        "pca": [PCA(one["pca"], random_state=0) if one["pca"] else "passthrough"],
        "head": [head(one["head"], one["params"])],
    }
    for one in candidates
]
with tempfile.TemporaryDirectory() as cache, warnings.catch_warnings():
    warnings.simplefilter("ignore")
    steps = Pipeline([("normalize", Normalizer()), ("pca", "passthrough"), ("head", RidgeClassifier())], memory=cache)
    search = GridSearchCV(steps, grid, cv=PredefinedSplit(folds), n_jobs=2, refit=False)
    started = time.perf_counter()
    search.fit(X, y)
    seconds = time.perf_counter() - started
print(
    json.dumps(
        {
            "seconds": seconds,
            "scores": search.cv_results_["mean_test_score"].tolist(),
            "version": sklearn.__version__,
        }
    )
)
