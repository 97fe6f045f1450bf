"""The frozen head and the fine-tuned last block in Keras, on the very pixels that permafrost read, with permafrost's recipe.

Frozen head: Dense softmax on the l2-normalised average of block5_pool, the penalty of scikit-learn's C, full batches of Adam. Fine-tuned:
block5 and that head from there, Adam 1e-4 (head 3e-3), batch 32, cosine to 0, a fixed number of epochs on all of Train. block4_pool is
computed once and kept in memory, as a careful user of Keras would. Prints one line of JSON.
"""

import argparse
import json
import os
import resource
import time
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from safetensors.numpy import load_file

BLOCKS = [(1, 2, 64), (2, 2, 128), (3, 3, 256), (4, 3, 512), (5, 3, 512)]
MEAN = np.array([103.939, 116.779, 123.68], "float32")


def load_weights(index: Path) -> dict[str, np.ndarray]:
    shards = set(json.loads(index.read_text())["weight_map"].values())
    return {name: t for shard in shards for name, t in load_file(index.parent / shard).items()}


def blocks(first: int, last: int, shape: tuple[int, ...], weights: dict[str, np.ndarray]) -> keras.Model:
    """Blocks of VGG16 with their weights, the pool of the last one included."""
    x = inputs = keras.Input(shape)
    for block, convolutions, filters in BLOCKS[first - 1 : last]:
        for i in range(convolutions):
            x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"block{block}_conv{i + 1}")(x)
        x = keras.layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    model = keras.Model(inputs, x)
    for layer in model.layers:
        if layer.weights:
            layer.set_weights([weights[f"{layer.name}/kernel"], weights[f"{layer.name}/bias"]])
    return model


def scored(probabilities: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    own = np.clip(probabilities[np.arange(len(truth)), truth], 1e-15, 1)
    return {
        "accuracy": float((probabilities.argmax(1) == truth).mean()),
        "logLoss": float(-np.log(own).mean()),
    }


class HeadRate(keras.optimizers.Adam):
    """Adam whose rate for the head is 30 times that of the convolutions. TensorFlow's variables come without the names of layers."""

    def __init__(self, rate, head):
        super().__init__(rate)
        self.head_shapes = {tuple(variable.shape) for variable in head}

    def update_step(self, gradient, variable, learning_rate):
        factor = 30.0 if tuple(variable.shape) in self.head_shapes else 1.0
        super().update_step(gradient, variable, learning_rate * factor)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="train.npy, val.npy (uint8 RGB), train-labels.npy, val-labels.npy")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--penalty", type=float, required=True, help="C of the frozen head")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)
    weights = load_weights(args.weights)
    pixels = {split: np.load(args.folder / f"{split}.npy", mmap_mode="r") for split in ("train", "val")}
    truth = {split: np.load(args.folder / f"{split}-labels.npy").astype("int64") for split in ("train", "val")}
    classes = int(truth["train"].max()) + 1

    started = time.perf_counter()
    frozen = blocks(1, 4, (224, 224, 3), weights)
    prepared = {k: p[..., ::-1].astype("float32") - MEAN for k, p in pixels.items()}
    maps = {k: frozen.predict(p, batch_size=16, verbose=0) for k, p in prepared.items()}
    seconds = {"extract": time.perf_counter() - started}
    del prepared

    started = time.perf_counter()
    tail = blocks(5, 5, (14, 14, 512), weights)
    pooled = keras.layers.UnitNormalization()(keras.layers.GlobalAveragePooling2D()(tail.output))
    rows = keras.Model(tail.input, pooled)
    unit = {k: rows.predict(m, batch_size=32, verbose=0) for k, m in maps.items()}
    penalty = keras.regularizers.L2(1 / (2 * args.penalty * len(truth["train"])))
    head = keras.Sequential([keras.Input((512,)), keras.layers.Dense(classes, kernel_regularizer=penalty)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    head.compile(keras.optimizers.Adam(0.3), loss)
    head.fit(unit["train"], truth["train"], batch_size=len(truth["train"]), epochs=400, verbose=0)
    frozen_score = scored(tf.nn.softmax(head.predict(unit["val"], verbose=0)).numpy(), truth["val"])
    seconds["head"] = time.perf_counter() - started

    started = time.perf_counter()
    dense = keras.layers.Dense(classes, name="head")
    model = keras.Model(tail.input, dense(pooled))
    dense.set_weights(head.layers[-1].get_weights())
    steps = args.epochs * -(-len(truth["train"]) // 32)
    rates = keras.optimizers.schedules.CosineDecay(1e-4, steps)
    model.compile(HeadRate(rates, dense.trainable_variables), loss)
    curve = []
    for _ in range(args.epochs):
        model.fit(maps["train"], truth["train"], batch_size=32, epochs=1, verbose=0)
        answers = model.predict(maps["val"], batch_size=32, verbose=0)
        curve.append(scored(tf.nn.softmax(answers).numpy(), truth["val"]))
    seconds["finetune"] = time.perf_counter() - started
    print(
        json.dumps(
            {
                "frozen": frozen_score,
                "tuned": curve[-1],
                "curve": curve,
                "seconds": seconds,
                "peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "versions": {"keras": keras.__version__, "tensorflow": tf.__version__},
            }
        )
    )


main()
