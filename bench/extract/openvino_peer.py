"""The peer: the same network in OpenVINO from Python, as its documentation advises for throughput.

AsyncInferQueue with single images, THROUGHPUT hint; pictures are decoded by Pillow on a thread a core, while others are inferred. The
pixels are those of Keras' flow_from_directory: Pillow's NEAREST to 224 x 224. Prints one line of JSON; imports and compiling lie before
`seconds`.
"""

import argparse
import json
import os
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import openvino
import PIL
from PIL import Image
from safetensors.numpy import save_file

SIDE = 224
# What Keras' flow_from_directory lists (keras/src/legacy/preprocessing/image.py).
EXTENSIONS = {".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".tif", ".tiff"}


def list_images(root: Path, folders: list[str]) -> list[Path]:
    """Pictures under the class folders of each split folder, in a stable order."""
    classes = [c for folder in folders for c in sorted((root / folder).iterdir()) if c.is_dir()]
    return [file for c in classes for file in sorted(c.rglob("*")) if file.suffix.lower() in EXTENSIONS]


def read_pixels(path: Path) -> np.ndarray:
    """uint8 (1, 224, 224, 3)."""
    with Image.open(path) as image:
        resized = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.NEAREST)
    return np.asarray(resized)[None]


class Network:
    """The compiled model with its queue of requests."""

    def __init__(self, model: Path, precision: str) -> None:
        settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": precision}
        self.compiled = openvino.Core().compile_model(model, "CPU", settings)
        self.queue = openvino.AsyncInferQueue(self.compiled)
        self.queue.set_callback(self._done)
        self.features: np.ndarray = np.empty(0)

    def _done(self, request: openvino.InferRequest, place: int) -> None:
        self.features[place] = request.get_output_tensor(0).data[0]

    def prepare(self, count: int) -> None:
        width = self.compiled.output(0).shape[1]
        self.features = np.empty((count, width), "float32")

    def start(self, pixels: np.ndarray, place: int) -> None:
        self.queue.start_async({0: pixels}, place)

    def finish(self) -> None:
        self.queue.wait_all()


def end_to_end(network: Network, paths: list[Path]) -> None:
    """Decodes ahead of the network, a bounded number of pictures."""
    cores = os.cpu_count() or 1
    ahead = 16
    with ThreadPoolExecutor(cores) as pool:
        waiting = deque(pool.submit(read_pixels, path) for path in paths[:ahead])
        for place in range(len(paths)):
            pixels = waiting.popleft().result()
            if place + ahead < len(paths):
                waiting.append(pool.submit(read_pixels, paths[place + ahead]))
            network.start(pixels, place)
    network.finish()


def alone(network: Network, pixels: np.ndarray, least_seconds: float) -> dict[str, float]:
    """Inference of decoded pixels, over and over."""
    started, cpu = time.perf_counter(), time.process_time()
    images = 0
    while images == 0 or time.perf_counter() - started < least_seconds:
        for place, image in enumerate(pixels):
            network.start(image[None], place)
        network.finish()
        images += len(pixels)
    seconds = time.perf_counter() - started
    return {"images": images, "seconds": seconds, "cpuSeconds": time.process_time() - cpu}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--folders", nargs="+", default=["."], help="split folders, each with class folders")
    parser.add_argument("--model", type=Path, required=True, help="ONNX file: uint8 pixels in, flattened features out")
    parser.add_argument("--precision", choices=["f32", "bf16"], required=True, help="INFERENCE_PRECISION_HINT")
    parser.add_argument("--save", type=Path, help="write features and paths there (not when timed)")
    parser.add_argument("--alone", type=Path, help="infer the pixels in this file instead")
    parser.add_argument("--seconds", type=float, default=5, help="least duration with --alone")
    args = parser.parse_args()

    network = Network(args.model, args.precision)
    network.prepare(1)
    network.start(np.zeros((1, SIDE, SIDE, 3), "uint8"), 0)
    network.finish()
    if args.alone is not None:
        pixels = np.fromfile(args.alone, "uint8").reshape(-1, SIDE, SIDE, 3)
        network.prepare(len(pixels))
        print(json.dumps(alone(network, pixels, args.seconds)))
        return

    started = time.perf_counter()
    paths = list_images(args.root, args.folders)
    network.prepare(len(paths))
    end_to_end(network, paths)
    seconds = time.perf_counter() - started

    if args.save is not None:
        names = [path.relative_to(args.root).as_posix() for path in paths]
        save_file({"features": network.features}, args.save, metadata={"paths": json.dumps(names)})
    versions = {"openvino": openvino.__version__, "pillow": PIL.__version__}
    print(json.dumps({"images": len(paths), "seconds": seconds, "versions": versions}))


main()
