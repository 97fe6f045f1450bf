"""Makes finetune.json: loss, logits and gradients that TensorFlow gives for VGG16 on squares of photographs.

    python -m venv v && v/bin/pip install numpy==2.4.6 safetensors==0.8.0 tensorflow-cpu==2.21.0
    v/bin/python test/golden/make_finetune.py ../shared/golden/pixels.safetensors data/weights

Pixels and weights are those of the tests; the dense layer's weights come from a formula that the test has too. Of each
gradient the file keeps the length (L2) and 32 entries.

Where a ReLU's input is nearly zero, or two values of a pool are nearly equal, rounding decides which of two derivatives is
taken, both of them right, and one such gate changes entries by up to a percent. So the squares are those, of some hundred
drawn at random, whose closest gate is farthest from a tie, in float64 and as a part of the layer's largest value.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from safetensors.numpy import load_file

MEAN = np.array([103.939, 116.779, 123.68])  # BGR
BLOCKS = [(1, 2), (2, 2), (3, 3), (4, 3), (5, 3)]
ENTRIES = 32
IMAGES = 3

pixels_file, weights_folder = Path(sys.argv[1]), Path(sys.argv[2])
shards = set(json.loads(next(weights_folder.glob("*.index.json")).read_text())["weight_map"].values())
weights = {name: t for shard in shards for name, t in load_file(weights_folder / shard).items()}
photographs = load_file(pixels_file)["nearest"]


def layers(first_block, last_block=5):
    for block, convs in BLOCKS:
        if first_block <= block <= last_block:
            yield from (f"block{block}_conv{i + 1}" for i in range(convs))
            yield f"block{block}_pool"


def forward(names, parameters, x, margins=None):
    """The maps behind the layers; for each image the least distance of a gate from a tie goes into `margins`."""
    for name in names:
        if name.endswith("pool"):
            if margins is not None:
                n, h, w, c = x.shape
                windows = tf.reshape(x, [n, h // 2, 2, w // 2, 2, c])
                windows = tf.reshape(tf.transpose(windows, [0, 1, 3, 5, 2, 4]), [n, -1, 4])
                top = tf.math.top_k(windows, 2).values
                gaps = tf.where(top[..., 0] > 0, top[..., 0] - top[..., 1], np.inf)
                margins.append((tf.reduce_min(gaps, 1) / tf.reduce_max(x, [1, 2, 3])).numpy())
            x = tf.nn.max_pool2d(x, 2, 2, "VALID")
        else:
            z = tf.nn.conv2d(x, parameters[f"{name}/kernel"], 1, "SAME") + parameters[f"{name}/bias"]
            if margins is not None:
                size = tf.abs(z)
                margins.append((tf.reduce_min(size, [1, 2, 3]) / tf.reduce_max(size, [1, 2, 3])).numpy())
            x = tf.nn.relu(z)
    return x


def prepared(squares, side, dtype):
    """Squares (photograph, top, left) as Keras' caffe mode prepares them."""
    cut = [photographs[p, top : top + side, left : left + side, ::-1] - MEAN for p, top, left in squares]
    return tf.constant(np.stack(cut).astype(np.float32).astype(dtype))


def best_squares(first_block, side, candidates):
    random = np.random.default_rng(7)
    exact = {name: tf.constant(t.astype(np.float64)) for name, t in weights.items()}
    found = []
    for _ in range(candidates // 10):
        squares = [
            [int(random.integers(len(photographs))), *map(int, random.integers(0, 224 - side + 1, 2))] for _ in range(10)
        ]
        x = forward(layers(1, first_block - 1), exact, prepared(squares, side, np.float64))
        margins = []
        forward(layers(first_block), exact, x, margins)
        found += zip(np.min(margins, axis=0).tolist(), squares)
    found.sort(reverse=True)
    return [square for _, square in found[:IMAGES]], found[IMAGES - 1][0]


def dense(width, scale):
    """(width, 2) and (2): the same formula as in the test, in float64, then float32."""
    i = np.arange(2 * width)
    kernel = (((i * 7919) % 1009) / 1009 - 0.5) * scale
    return {"head/kernel": kernel.reshape(width, 2).astype(np.float32), "head/bias": np.float32([0.1, -0.1])}


def entries(length):
    """Indices spread over the array: the same formula as in the test."""
    return [(k * 7919 + 13) % length if length > ENTRIES else k for k in range(min(length, ENTRIES))]


def case(first_block, side, candidates, pooling, norm, scale):
    squares, margin = best_squares(first_block, side, candidates)
    x = forward(layers(1, first_block - 1), weights, prepared(squares, side, np.float32))
    classes = [i % 2 for i in range(IMAGES)]
    targets = tf.constant(np.eye(2, dtype=np.float32)[classes] / IMAGES)
    width = 512 if pooling == "avg" else (side // 32) ** 2 * 512
    trained = [name for name in layers(first_block) if not name.endswith("pool")]
    parameters = {f"{name}/{part}": weights[f"{name}/{part}"] for name in trained for part in ("kernel", "bias")}
    parameters = {name: tf.Variable(t) for name, t in (parameters | dense(width, scale)).items()}
    with tf.GradientTape() as tape:
        maps = forward(layers(first_block), parameters, x)
        rows = tf.reduce_mean(maps, [1, 2]) if pooling == "avg" else tf.reshape(maps, [IMAGES, -1])
        if norm == "l2":
            rows = rows / tf.norm(rows, axis=1, keepdims=True)
        logits = rows @ parameters["head/kernel"] + parameters["head/bias"]
        loss = -tf.reduce_sum(targets * tf.nn.log_softmax(logits))
    gradients = dict(zip(parameters, tape.gradient(loss, list(parameters.values()))))
    kept = {}
    for name, gradient in gradients.items():
        flat = gradient.numpy().reshape(-1)
        kept[name] = {
            "length": float(np.linalg.norm(flat.astype(np.float64))),
            "entries": [float(flat[i]) for i in entries(len(flat))],
        }
    print(first_block, side, pooling, norm, "squares", squares, "margin", margin, "loss", float(loss), flush=True)
    return {
        "from": f"block{first_block}_conv1",
        "side": side,
        "squares": squares,
        "margin": margin,
        "classes": classes,
        "pooling": pooling,
        "norm": norm,
        "scale": scale,
        "loss": float(loss),
        "logits": logits.numpy().reshape(-1).tolist(),
        "gradients": kept,
    }


cases = [
    case(5, 96, 300, "avg", "l2", 8.0),
    case(5, 96, 300, "flatten", "none", 0.01),
    case(4, 64, 400, "avg", "l2", 8.0),
    case(1, 32, 1500, "avg", "l2", 8.0),
]
golden = {"tensorflow": tf.__version__, "cases": cases}
Path(__file__).with_name("finetune.json").write_text(json.dumps(golden) + "\n")
