"""The peer: features of every image by Keras' own VGG16 and flow_from_directory, as its users write it.

Prints one line of JSON. `seconds` counts reading, decoding and predicting; imports, building the model, loading the weights
and the first trace of the graph lie before it (the whole process is measured from outside).
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import PIL
import tensorflow as tf
from keras.applications.vgg16 import VGG16, preprocess_input
from keras.src.legacy.preprocessing.image import ImageDataGenerator
from safetensors.numpy import load_file, save_file

SIDE = 224


def build_model(index: Path) -> keras.Model:
    """VGG16 without its top, with the weights that permafrost carries."""
    shards = set(json.loads(index.read_text())["weight_map"].values())
    tensors = {name: t for shard in shards for name, t in load_file(index.parent / shard).items()}
    model = VGG16(include_top=False, weights=None, input_shape=(SIDE, SIDE, 3))
    for layer in model.layers:
        if layer.weights:
            layer.set_weights([tensors[f"{layer.name}/kernel"], tensors[f"{layer.name}/bias"]])
    return model


def alone(model: keras.Model, file: Path, batch: int, least_seconds: float) -> dict[str, float]:
    """predict on preprocessed pixels in memory, over and over."""
    inputs = preprocess_input(np.fromfile(file, "uint8").reshape(-1, SIDE, SIDE, 3).astype("float32"))
    started, cpu = time.perf_counter(), time.process_time()
    images = 0
    while images == 0 or time.perf_counter() - started < least_seconds:
        model.predict(inputs, batch_size=batch, verbose=0)
        images += len(inputs)
    seconds = time.perf_counter() - started
    return {"images": images, "seconds": seconds, "cpuSeconds": time.process_time() - cpu}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--folders", nargs="+", default=["."], help="split folders, each with class folders")
    parser.add_argument("--weights", type=Path, required=True, help="index of the safetensors shards")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--save", type=Path, help="write features and paths there (not when timed)")
    parser.add_argument("--alone", type=Path, help="infer the pixels in this file instead")
    parser.add_argument("--seconds", type=float, default=5, help="least duration with --alone")
    args = parser.parse_args()

    model = build_model(args.weights)
    model.predict(np.zeros((args.batch, SIDE, SIDE, 3), "float32"), verbose=0)

    if args.alone is not None:
        print(json.dumps(alone(model, args.alone, args.batch, args.seconds)))
        return

    started = time.perf_counter()
    paths: list[str] = []
    features = []
    for folder in args.folders:
        flow = ImageDataGenerator(preprocessing_function=preprocess_input).flow_from_directory(
            args.root / folder,
            target_size=(SIDE, SIDE),
            batch_size=args.batch,
            class_mode=None,
            shuffle=False,
        )
        features.append(model.predict(flow, verbose=0))
        paths += [(Path(folder) / name).as_posix() for name in flow.filenames]
    seconds = time.perf_counter() - started

    if args.save is not None:
        rows = np.concatenate(features).reshape(len(paths), -1)
        save_file({"features": rows}, args.save, metadata={"paths": json.dumps(paths)})
    versions = {"keras": keras.__version__, "tensorflow": tf.__version__, "pillow": PIL.__version__}
    print(json.dumps({"images": len(paths), "seconds": seconds, "versions": versions}))


main()
