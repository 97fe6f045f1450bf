"""Compares squares of 224 x 224 RGB with Pillow's, as Keras' flow_from_directory makes them: RGB, NEAREST.

Reads one JSON object a line from standard input: {"path": ..., "square": a file of RGB bytes or null}. Answers each
with a line: {"ok": whether Pillow decodes it, "reason": ..., "kind": format and mode, "mean", "most": of the differences}.
"""

import json
import os
import signal
import sys
import warnings

import numpy
from PIL import Image

try:
    import pillow_heif

    pillow_heif.register_heif_opener()
except ImportError:
    print("pillow-heif is not installed: HEIC counts as refused by Pillow.", file=sys.stderr)

SIDE = 224
SECONDS = int(sys.argv[1])
warnings.simplefilter("ignore")
# What libtiff says of each damaged file.
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def too_long(*_):
    raise TimeoutError(f"longer than {SECONDS} s")


signal.signal(signal.SIGALRM, too_long)
for line in sys.stdin:
    job = json.loads(line)
    answer = {"ok": False, "kind": None}
    signal.alarm(SECONDS)
    try:
        with Image.open(job["path"]) as image:
            answer["kind"] = f"{image.format} {image.mode}"
            upright = image if image.mode == "RGB" else image.convert("RGB")
            pixels = numpy.asarray(upright.resize((SIDE, SIDE), Image.Resampling.NEAREST)).astype(int)
        answer["ok"] = True
        if job["square"] is not None:
            square = numpy.fromfile(job["square"], numpy.uint8).reshape(SIDE, SIDE, 3)
            away = numpy.abs(pixels - square)
            answer["mean"], answer["most"] = float(away.mean()), int(away.max())
    except Exception as error:  # of any kind: a file that Pillow does not decode
        answer["reason"] = f"{type(error).__name__}: {error}"[:200]
    finally:
        signal.alarm(0)
    print(json.dumps(answer), flush=True)
