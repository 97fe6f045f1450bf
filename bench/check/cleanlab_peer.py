"""What cleanlab tells of labels and out-of-fold probabilities on stdin (JSON), as JSON: see label-errors.mjs."""

import json
import sys

import numpy as np
from cleanlab.count import num_label_issues
from cleanlab.filter import find_label_issues

question = json.load(sys.stdin)
labels = np.array(question["labels"])
probabilities = np.array(question["probabilities"], dtype=float)
probabilities /= probabilities.sum(axis=1, keepdims=True)
told = np.flatnonzero(find_label_issues(labels, probabilities, n_jobs=1))
answer = {
    "counted": int(num_label_issues(labels, probabilities)),
    "told": len(told),
    "right": len(set(told.tolist()) & set(question["swapped"])),
}
print(json.dumps(answer))
