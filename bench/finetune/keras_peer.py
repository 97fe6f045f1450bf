"""The peer: epochs of a task by Keras' own fit with Adam, as its users write it.

Prints one line of JSON. `seconds` are those of fit, epoch by epoch; imports, building the model and the first trace of the
graph lie before it (the whole process is measured from outside).
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from safetensors.numpy import load_file, save_file

BLOCKS = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]


def build_model(first_block: int, shape: tuple[int, int, int], index: Path) -> keras.Model:
    """VGG16's blocks from `first_block` on, the average, rows of length 1, a dense layer; with permafrost's weights."""
    shards = set(json.loads(index.read_text())["weight_map"].values())
    tensors = {name: t for shard in shards for name, t in load_file(index.parent / shard).items()}
    x = inputs = keras.Input(shape)
    for block, (convs, filters) in list(enumerate(BLOCKS, 1))[first_block - 1 :]:
        for i in range(convs):
            name = f"block{block}_conv{i + 1}"
            x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
        x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.UnitNormalization()(keras.layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax", name="head")(x))
    for layer in model.layers:
        if layer.name.startswith("block"):
            layer.set_weights([tensors[f"{layer.name}/kernel"], tensors[f"{layer.name}/bias"]])
    i = np.arange(1024)
    kernel = (((i * 7919) % 1009) / 1009 - 0.5) * 0.1
    model.get_layer("head").set_weights([kernel.reshape(512, 2).astype(np.float32), np.zeros(2, np.float32)])
    return model


def gradients(model: keras.Model, x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(keras.losses.categorical_crossentropy(y, model(x)))
    found = tape.gradient(loss, [v.value for v in model.trainable_variables])
    return {v.path: g.numpy().reshape(-1) for v, g in zip(model.trainable_variables, found)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("inputs", type=Path)
    parser.add_argument("--weights", type=Path, required=True, help="index of the safetensors shards")
    parser.add_argument("--first-block", type=int, required=True)
    parser.add_argument("--side", type=int, required=True)
    parser.add_argument("--channels", type=int, required=True)
    parser.add_argument("--step", type=int, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--gradients", type=Path, help="write those of the first images there, time nothing")
    parser.add_argument("--images", type=int, help="how many, with --gradients")
    args = parser.parse_args()

    shape = (args.side, args.side, args.channels)
    x = np.fromfile(args.inputs, "float32").reshape(-1, *shape)
    y = np.eye(2, dtype="float32")[np.arange(len(x)) % 2]
    model = build_model(args.first_block, shape, args.weights)
    if args.gradients is not None:
        save_file(gradients(model, x[: args.images], y[: args.images]), args.gradients)
        print(json.dumps({}))
        return
    model.compile(optimizer=keras.optimizers.Adam(1e-5), loss="categorical_crossentropy")
    # A fit of its own: it is fit that traces the graph, and its first step waits for that.
    model.fit(x[: args.step], y[: args.step], batch_size=args.step, epochs=2, shuffle=False, verbose=0)
    seconds = []
    for _ in range(args.epochs):
        began = time.perf_counter()
        model.fit(x, y, batch_size=args.step, epochs=1, shuffle=False, verbose=0)
        seconds.append(time.perf_counter() - began)
    version = f"keras {keras.__version__}, tensorflow {tf.__version__}"
    print(json.dumps({"images": len(x), "seconds": seconds, "version": version}))


main()
