"""The peer: the same graph in ONNX Runtime from Python, on pictures that Pillow decodes and resizes as the contract says.

Pillow works on a thread a core, ahead of the network. The network runs in one session on all cores, or in a session a core on one thread
each: the bench times the faster. Prints one line of JSON; imports and loading lie before `seconds`.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import PIL
from list_images import list_images
from PIL import Image, ImageOps
from safetensors.numpy import save_file

RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
Loader = Callable[[Path], np.ndarray]


def loader(contract: dict) -> Loader:
    """Reads a file as uint8 RGB of the contract's square: as torchvision resizes and crops, or squashed."""
    size = contract["size"]
    edge = contract.get("resize", size)
    kernel = RESAMPLING[contract["kernel"]]
    geometry = contract["geometry"]
    if geometry not in ("cover-crop", "squash"):
        raise SystemExit(f"The peer knows no geometry {geometry}.")

    def load(path: Path) -> np.ndarray:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image) if contract["orientation"] == "exif" else image
            picture = upright.convert("RGB")
        if geometry == "squash":
            return np.asarray(picture.resize((size, size), kernel))
        short = min(picture.size)
        width, height = (edge if side == short else edge * side // short for side in picture.size)
        left, top = round((width - size) / 2), round((height - size) / 2)
        return np.asarray(picture.resize((width, height), kernel).crop((left, top, left + size, top + size)))

    return load


def session(model: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def end_to_end(networks: list[onnxruntime.InferenceSession], load: Loader, paths: list[Path], batch: int) -> np.ndarray:
    """Features of all pictures; each network takes every n-th batch, and its pictures are decoded three batches ahead."""
    batches = [paths[at : at + batch] for at in range(0, len(paths), batch)]
    features: list[np.ndarray] = [np.empty(0)] * len(batches)
    with ThreadPoolExecutor(os.cpu_count()) as decoders, ThreadPoolExecutor(len(networks)) as runners:

        def decode(which: int) -> list[Future]:
            return [decoders.submit(load, path) for path in batches[which]] if which < len(batches) else []

        def follow(first: int) -> None:
            step = len(networks)
            ahead = {which: decode(which) for which in (first, first + step, first + 2 * step)}
            for which in range(first, len(batches), step):
                pixels = np.stack([one.result() for one in ahead.pop(which)])
                ahead[which + 3 * step] = decode(which + 3 * step)
                features[which] = networks[first].run(None, {networks[first].get_inputs()[0].name: pixels})[0]

        list(runners.map(follow, range(len(networks))))
    return np.concatenate(features)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--folders", nargs="+", default=["."], help="split folders, each with class folders")
    parser.add_argument("--model", type=Path, required=True, help="ONNX file: uint8 pixels (batch, size, size, 3) in, features out")
    parser.add_argument("--contract", type=Path, required=True, help="JSON file: permafrost's contract")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--sessions", type=int, default=1, help="networks that run at the same time, each on its part of the cores")
    parser.add_argument("--save", type=Path, help="write features and paths there (not when timed)")
    args = parser.parse_args()

    threads = max(1, (os.cpu_count() or 1) // args.sessions)
    networks = [session(args.model, threads) for _ in range(args.sessions)]
    contract = json.loads(args.contract.read_text())
    grey = np.full((args.batch, contract["size"], contract["size"], 3), 128, "uint8")
    for network in networks:
        network.run(None, {network.get_inputs()[0].name: grey})

    started = time.perf_counter()
    paths = list_images(args.root, args.folders)
    features = end_to_end(networks, loader(contract), paths, args.batch)
    seconds = time.perf_counter() - started

    if args.save is not None:
        names = [path.relative_to(args.root).as_posix() for path in paths]
        save_file({"features": features}, args.save, metadata={"paths": json.dumps(names)})
    versions = {"onnxruntime": onnxruntime.__version__, "pillow": PIL.__version__}
    print(json.dumps({"images": len(paths), "seconds": seconds, "versions": versions}))


main()
