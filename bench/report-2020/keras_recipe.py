"""The experiment of the 2020 report as its authors wrote it in Keras: a frozen VGG16, Flatten, Dense softmax, five augmented epochs.

Augmentation, rescaling and sizes are the report's; the weights are those that permafrost carries. Prints one line of JSON: seconds of
`fit` (imports, building the model and loading the weights lie before) and the validation accuracy after each epoch.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from keras.applications.vgg16 import VGG16, preprocess_input
from keras.src.legacy.preprocessing.image import ImageDataGenerator
from safetensors.numpy import load_file

SIDE = 224
AUGMENTATION = {"shear_range": 0.2, "zoom_range": 0.2, "horizontal_flip": True}
PREPROCESSING = {
    "rescale": {"rescale": 1 / 255},
    "caffe": {"preprocessing_function": preprocess_input},
}


def frozen_vgg16(index: Path) -> keras.Model:
    """VGG16 without its top, not trainable."""
    shards = set(json.loads(index.read_text())["weight_map"].values())
    tensors = {name: t for shard in shards for name, t in load_file(index.parent / shard).items()}
    base = VGG16(include_top=False, weights=None, input_shape=(SIDE, SIDE, 3))
    for layer in base.layers:
        if layer.weights:
            layer.set_weights([tensors[f"{layer.name}/kernel"], tensors[f"{layer.name}/bias"]])
        layer.trainable = False
    return base


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("train", type=Path)
    parser.add_argument("val", type=Path)
    parser.add_argument("--weights", type=Path, required=True, help="index of the safetensors shards")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--preprocessing", choices=list(PREPROCESSING), default="rescale")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    keras.utils.set_random_seed(args.seed)

    pixels = PREPROCESSING[args.preprocessing]
    flow = {"target_size": (SIDE, SIDE), "batch_size": args.batch, "class_mode": "categorical"}
    train = ImageDataGenerator(**pixels, **AUGMENTATION).flow_from_directory(args.train, seed=args.seed, **flow)
    val = ImageDataGenerator(**pixels).flow_from_directory(args.val, shuffle=False, **flow)
    base = frozen_vgg16(args.weights)
    output = keras.layers.Dense(train.num_classes, activation="softmax")(keras.layers.Flatten()(base.output))
    model = keras.Model(base.input, output)
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])

    started = time.perf_counter()
    history = model.fit(train, validation_data=val, epochs=args.epochs, verbose=0).history
    seconds = time.perf_counter() - started
    print(
        json.dumps(
            {
                "seconds": seconds,
                "images": [train.samples, val.samples],
                "accuracy": history["val_accuracy"],
                "versions": {
                    "keras": keras.__version__,
                    "tensorflow": tf.__version__,
                    "python": sys.version.split()[0],
                },
            }
        )
    )


main()
