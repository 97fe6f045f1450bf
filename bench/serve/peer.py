"""The peer: FastAPI before the same network and the same head, as a person would write it who knows the tools.

Pictures are decoded and resized by Pillow as permafrost's contract says. VGG16 is Keras' own, compiled by tf.function for one picture; any other
network is its graph in ONNX Runtime. Requests are answered on FastAPI's threads, so decoding of one picture and the network on another go on at
the same time. Prints one line of JSON when it is ready, and ends with its process.
"""

import argparse
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import PIL
import uvicorn
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from PIL import Image, ImageOps
from safetensors import safe_open

RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}
Network = Callable[[np.ndarray], np.ndarray]


def square(body: bytes, contract: dict) -> np.ndarray:
    """uint8 RGB of the contract's square."""
    size = contract["size"]
    kernel = RESAMPLING[contract["kernel"]]
    with Image.open(io.BytesIO(body)) as image:
        upright = ImageOps.exif_transpose(image) if contract["orientation"] == "exif" else image
        picture = upright.convert("RGB")
    if contract["geometry"] == "squash":
        return np.asarray(picture.resize((size, size), kernel))
    edge = contract.get("resize", size)
    short = min(picture.size)
    width, height = (edge if side == short else edge * side // short for side in picture.size)
    left, top = round((width - size) / 2), round((height - size) / 2)
    return np.asarray(picture.resize((width, height), kernel).crop((left, top, left + size, top + size)))


def keras_network(index: Path) -> tuple[Network, dict]:
    """Averaged features by Keras' VGG16 with permafrost's weights, which are Keras' own."""
    import keras
    import tensorflow as tf
    from safetensors.numpy import load_file

    model = keras.applications.VGG16(include_top=False, weights=None, input_shape=(224, 224, 3), pooling="avg")
    shards = set(json.loads(index.read_text())["weight_map"].values())
    tensors = {name: t for shard in shards for name, t in load_file(index.parent / shard).items()}
    for layer in model.layers:
        if layer.weights:
            layer.set_weights([tensors[f"{layer.name}/kernel"], tensors[f"{layer.name}/bias"]])
    compiled = tf.function(lambda x: model(x, training=False))

    def features(pixels: np.ndarray) -> np.ndarray:
        return compiled(keras.applications.vgg16.preprocess_input(pixels[None].astype("float32"))).numpy()[0]

    return features, {"keras": keras.__version__, "tensorflow": tf.__version__}


def onnx_network(model: Path) -> tuple[Network, dict]:
    """Averaged features by ONNX Runtime, whose graph takes uint8 pixels."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda pixels: session.run(None, {name: pixels[None]})[0][0], {"onnxruntime": onnxruntime.__version__}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--head", type=Path, required=True, help="a logistic head on averaged features of two classes, normalised by l2")
    parser.add_argument("--keras-weights", type=Path, help="index of the safetensors shards of VGG16")
    parser.add_argument("--model", type=Path, help="ONNX file: uint8 pixels (batch, size, size, 3) in, features out")
    parser.add_argument("--port", type=int, required=True)
    args = parser.parse_args()

    with safe_open(args.head, "np") as file:
        document = json.loads(file.metadata()["permafrost"])
        weights, intercept = file.get_tensor("head/weights")[:, 0], float(file.get_tensor("head/intercept")[0, 0])
    classes, contract = document["classes"], document["settings"]["contract"]
    network, versions = keras_network(args.keras_weights) if args.keras_weights else onnx_network(args.model)
    app = FastAPI()

    def answer(body: bytes) -> dict:
        x = network(square(body, contract))
        second = float(1 / (1 + np.exp(-(x @ weights / np.linalg.norm(x) + intercept))))
        return {"label": classes[int(second > 0.5)], "probability": max(second, 1 - second)}

    @app.post("/predict")
    async def predict(request: Request) -> dict:
        return await run_in_threadpool(answer, await request.body())

    network(np.zeros((contract["size"], contract["size"], 3), "uint8"))
    config = uvicorn.Config(app, host="127.0.0.1", port=args.port, log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    print(json.dumps({"versions": {**versions, "pillow": PIL.__version__, "uvicorn": uvicorn.__version__}}), flush=True)
    server.run()


main()
