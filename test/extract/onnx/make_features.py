"""Writes features.json: what ONNX Runtime gives from Python on two networks, of pixels that the test makes again.

Run: python make_features.py EFFICIENTNET.onnx SQUEEZENET.onnx   (needs numpy, onnx, onnxruntime)
Inner tensors are made outputs by appending them to the graph, and pooled by numpy in float64.
"""

import base64
import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

SIZE = 224
COUNT = 2


def pixels():
    i = np.arange(COUNT * SIZE * SIZE * 3, dtype=np.int64)
    return ((i * 37 + i // 7 * 11) % 256).astype(np.uint8).reshape(COUNT, SIZE, SIZE, 3)


NETWORKS = {
    "efficientnet-lite0": (lambda x: (x - 127.0) * np.float32(1 / 128), ["features"], ["block9", "block5/project"]),
    "squeezenet1.1": (
        lambda x: x[..., ::-1] - np.array([104.006, 116.669, 122.679], np.float32),
        ["features"],
        ["fire6"],
    ),
}


def features(path, prepare, vectors, maps):
    model = onnx.load(path)
    for name in maps:
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    image = prepare(pixels().astype(np.float32)).astype(np.float32).transpose(0, 3, 1, 2)
    found = session.run(vectors + maps, {"image": np.ascontiguousarray(image)})
    pooled = [x if x.ndim == 2 else x.astype(np.float64).mean((2, 3)).astype(np.float32) for x in found]
    return {f"{name}/avg": base64.b64encode(x.astype("<f4").tobytes()).decode() for name, x in zip(vectors + maps, pooled)}


if __name__ == "__main__":
    answer = {"onnxruntime": onnxruntime.__version__}
    for (name, how), path in zip(NETWORKS.items(), sys.argv[1:]):
        answer[name] = features(path, *how)
    pathlib.Path(__file__).with_name("features.json").write_text(json.dumps(answer, indent=2) + "\n")
