"""The peer: averaged features of every image by a network of keras.applications.

VGG16 has the weights that permafrost carries, and reads its pictures by flow_from_directory, as permafrost's contract `keras` does. Every other
network has random weights, since Keras would fetch them: its speed counts, its features mean nothing. Those are fast, so they read by
image_dataset_from_directory, which decodes on all cores. Prints one line of JSON; imports and building lie before `seconds`.
"""

import argparse
import importlib
import json
import os
import pkgutil
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import PIL
import tensorflow as tf
from keras.src.legacy.preprocessing.image import ImageDataGenerator
from list_images import list_images
from safetensors.numpy import load_file, save_file

SIDE = 224


def module_of(network: str):
    """The module of keras.applications that has this network, and its preprocess_input."""
    for found in pkgutil.iter_modules(keras.applications.__path__):
        module = importlib.import_module(f"keras.applications.{found.name}")
        if hasattr(module, network):
            return module
    raise SystemExit(f"keras.applications has no {network}.")


def build_model(network: str, index: Path) -> keras.Model:
    """The network without its top, averaged over the picture."""
    model = getattr(module_of(network), network)(include_top=False, weights=None, input_shape=(SIDE, SIDE, 3), pooling="avg")
    if network == "VGG16":
        shards = set(json.loads(index.read_text())["weight_map"].values())
        tensors = {name: t for shard in shards for name, t in load_file(index.parent / shard).items()}
        for layer in model.layers:
            if layer.weights:
                layer.set_weights([tensors[f"{layer.name}/kernel"], tensors[f"{layer.name}/bias"]])
    return model


def by_flow(model: keras.Model, preprocess, folder: Path, batch: int) -> np.ndarray:
    flow = ImageDataGenerator(preprocessing_function=preprocess).flow_from_directory(
        folder, target_size=(SIDE, SIDE), batch_size=batch, class_mode=None, shuffle=False
    )
    return model.predict(flow, verbose=0)


def by_dataset(model: keras.Model, preprocess, folder: Path, batch: int) -> np.ndarray:
    pictures = keras.utils.image_dataset_from_directory(
        folder, labels=None, image_size=(SIDE, SIDE), batch_size=batch, shuffle=False, verbose=False
    )
    ready = pictures.map(preprocess, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
    return model.predict(ready, verbose=0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--folders", nargs="+", default=["."], help="split folders, each with class folders")
    parser.add_argument("--network", default="VGG16")
    parser.add_argument("--weights", type=Path, required=True, help="index of the safetensors shards of VGG16")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--save", type=Path, help="write features and paths there (not when timed)")
    args = parser.parse_args()

    model = build_model(args.network, args.weights)
    preprocess = module_of(args.network).preprocess_input
    read = by_flow if args.network == "VGG16" else by_dataset
    model.predict(np.zeros((args.batch, SIDE, SIDE, 3), "float32"), verbose=0)

    started = time.perf_counter()
    features = np.concatenate([read(model, preprocess, args.root / folder, args.batch) for folder in args.folders])
    seconds = time.perf_counter() - started

    if args.save is not None:
        paths = [path.relative_to(args.root).as_posix() for path in list_images(args.root, args.folders)]
        if len(paths) != len(features):
            raise SystemExit(f"Keras lists {len(features)} pictures, this peer {len(paths)}.")
        save_file({"features": features}, args.save, metadata={"paths": json.dumps(paths)})
    versions = {"keras": keras.__version__, "tensorflow": tf.__version__, "pillow": PIL.__version__}
    print(json.dumps({"images": len(features), "seconds": seconds, "versions": versions}))


main()
