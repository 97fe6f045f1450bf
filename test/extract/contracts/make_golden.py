"""Makes golden.json: what transformers, timm and open_clip make of two pictures, which the tests make again from the same numbers.

    python -m venv v && v/bin/pip install torch torchvision --index-url https://download.pytorch.org/whl/cpu
    v/bin/pip install transformers timm open_clip_torch "pillow<13" && v/bin/python test/extract/contracts/make_golden.py

Each case is a description as it lies beside a network, and of each picture: the digest of the bytes that were normalised (they are found
again from the tensor, and must be whole numbers), and a grid of the tensor's own values. Pillow 12, as 13 rounds tall pictures elsewhere.
"""

import hashlib
import importlib
import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image

PICTURES = {"wide": (334, 245), "tall": (190, 417), "large": (801, 534)}
GRID = [0.05, 0.5, 0.95]


def picture(width, height):
    """Slopes, edges and grain: RGB of test/extract/contracts/golden-pictures.ts."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    wave = lambda t, period: abs(t % (2 * period) - period)
    slopes = wave(3 * x + 2 * y + 37 * c, 97) + wave(5 * x - 2 * y + 61 * c + 100_000, 61)
    edges = (x // 23 + 2 * (y // 31) + c) % 5 * 13
    grain = (x * 7919 + y * 104729 + x * y * 31 + c * 17) % 29
    return Image.fromarray((slopes + edges + grain).astype(np.uint8))


def facts(tensor, mean, scale, flipped=False, is_bytes=True):
    """A tensor (3, side, side) of (pixel - mean) * scale, as what it was made of and a grid of it."""
    values = np.asarray(tensor, dtype=np.float64)
    assert values.ndim == 3 and values.shape[0] == 3 and values.shape[1] == values.shape[2], values.shape
    pixels = values / np.reshape(scale, (3, 1, 1)) + np.reshape(mean, (3, 1, 1))
    bytes_ = np.rint(pixels)
    assert not is_bytes or np.abs(pixels - bytes_).max() < 1e-2 and bytes_.min() >= 0 and bytes_.max() <= 255, np.abs(pixels - bytes_).max()
    rgb = (bytes_[::-1] if flipped else bytes_).transpose(1, 2, 0).astype(np.uint8)
    at = [int(part * values.shape[1]) for part in GRID]
    return {
        "pixels": hashlib.sha256(rgb.tobytes()).hexdigest() if is_bytes else None,
        "grid": [[[float(np.float32(values[c, i, j])) for j in at] for i in at] for c in range(3)],
    }


IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
OPENAI = {"image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}
HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
RESCALE = {"do_rescale": True, "rescale_factor": 0.00392156862745098}

# As the files of these networks are, those of before 2023 with bare numbers and feature extractors.
TRANSFORMERS = {
    "google/vit-base-patch16-224": {
        "do_normalize": True, "do_rescale": True, "do_resize": True, **HALF, "image_processor_type": "ViTImageProcessor",
        "resample": 2, "rescale_factor": 0.00392156862745098, "size": {"height": 224, "width": 224},
    },
    "google/vit-base-patch16-224, old": {
        "do_normalize": True, "do_resize": True, "feature_extractor_type": "ViTFeatureExtractor", **HALF, "resample": 2, "size": 224,
    },
    "openai/clip-vit-base-patch32": {
        "crop_size": 224, "do_center_crop": True, "do_normalize": True, "do_resize": True,
        "feature_extractor_type": "CLIPFeatureExtractor", **OPENAI, "resample": 3, "size": 224,
    },
    "google/siglip-base-patch16-224": {
        "do_normalize": True, **RESCALE, "do_resize": True, **HALF, "image_processor_type": "SiglipImageProcessor",
        "processor_class": "SiglipProcessor", "resample": 3, "size": {"height": 224, "width": 224},
    },
    "facebook/convnext-tiny-224": {
        "crop_pct": 0.875, "do_normalize": True, "do_resize": True, "feature_extractor_type": "ConvNextFeatureExtractor", **IMAGENET,
        "resample": 3, "size": 224,
    },
    "facebook/convnext-base-384": {
        "crop_pct": None, "do_normalize": True, "do_resize": True, "feature_extractor_type": "ConvNextFeatureExtractor", **IMAGENET,
        "resample": 3, "size": 384,
    },
    "facebook/dinov2-small": {
        "crop_size": {"height": 224, "width": 224}, "do_center_crop": True, "do_convert_rgb": True, "do_normalize": True, **RESCALE,
        "do_resize": True, **IMAGENET, "image_processor_type": "BitImageProcessor", "resample": 3, "size": {"shortest_edge": 256},
    },
    "apple/mobilevit-small": {
        "crop_size": {"height": 256, "width": 256}, "do_center_crop": True, "do_flip_channel_order": True, "do_resize": True,
        "feature_extractor_type": "MobileViTFeatureExtractor", "resample": 2, "size": {"shortest_edge": 288},
    },
    "google/efficientnet-b0": {
        "crop_size": {"height": 289, "width": 289}, "do_center_crop": False, "do_normalize": True, **RESCALE, "do_resize": True,
        "image_mean": [0.485, 0.456, 0.406], "image_std": [0.47853944, 0.4732864, 0.47434163],
        "image_processor_type": "EfficientNetImageProcessor", "include_top": True, "resample": 0, "rescale_offset": False,
        "size": {"height": 224, "width": 224},
    },
    "an EfficientNet with an offset, a crop and bicubic": {
        "crop_size": {"height": 289, "width": 289}, "do_center_crop": True, "do_normalize": True, "do_rescale": True, "do_resize": True,
        "image_mean": [0.1, 0.2, 0.3], "image_std": [0.5, 0.6, 0.7], "image_processor_type": "EfficientNetImageProcessor",
        "include_top": False, "resample": 3, "rescale_factor": 1 / 127.5, "rescale_offset": True, "size": {"height": 346, "width": 346},
    },
    "microsoft/swin-tiny-patch4-window7-224": {
        "do_normalize": True, "do_resize": True, "feature_extractor_type": "ViTFeatureExtractor", **IMAGENET, "resample": 3, "size": 224,
    },
    "facebook/deit-base-distilled-patch16-224": {
        "crop_size": 224, "do_center_crop": True, "do_normalize": True, "do_resize": True,
        "feature_extractor_type": "DeiTFeatureExtractor", **IMAGENET, "resample": 3, "size": 256,
    },
    "microsoft/beit-base-patch16-224": {
        "crop_size": 224, "do_center_crop": False, "do_normalize": True, "do_resize": True,
        "feature_extractor_type": "BeitFeatureExtractor", **HALF, "reduce_labels": False, "resample": 2, "size": 224,
    },
    "facebook/levit-128S": {
        "do_center_crop": True, "do_normalize": True, "do_resize": True, "feature_extractor_type": "LevitFeatureExtractor", **IMAGENET,
        "resample": 3, "size": 224,
    },
    "sail/poolformer_s12": {
        "crop_pct": 0.9, "do_center_crop": True, "do_normalize": True, "do_resize_and_center_crop": True,
        "feature_extractor_type": "PoolFormerFeatureExtractor", **IMAGENET, "resample": 3, "size": 224,
    },
    "google/mobilenet_v2_1.0_224": {
        "crop_size": {"height": 224, "width": 224}, "do_center_crop": True, "do_normalize": True, **RESCALE, "do_resize": True, **HALF,
        "image_processor_type": "MobileNetV2ImageProcessor", "resample": 2, "size": {"shortest_edge": 256},
    },
}

# What the classes do where a file says nothing, in words that permafrost must know without it.
DEFAULTS = {
    **{name: {} for name in ["Bit", "Blip", "ChineseCLIP", "CLIP", "ConvNext", "DeiT", "Levit", "MobileNetV1", "MobileNetV2", "PoolFormer"]},
    **{name: {} for name in ["Segformer", "Siglip", "ViT"]},
    "EfficientNet": {"resample": 3},
    "MobileViT": {"resample": 2, "size": {"shortest_edge": 288}},
    "Pvt": {"resample": 2},
    "Beit": {"size": {"height": 256, "width": 256}, "do_center_crop": True, "crop_size": {"height": 224, "width": 224}},
}
DEFAULTS = {f"{name} by default": {"image_processor_type": f"{name}ImageProcessor", **more} for name, more in DEFAULTS.items()}

# These resize floats by torch: what is not rounded to bytes has no digest.
FLOATS = {"a DINOv3": {"do_resize": True, "image_processor_type": "DINOv3ViTImageProcessorFast", "resample": 2, "size": {"height": 224, "width": 224},
                       "crop_size": None, "device": None, "do_center_crop": None, **IMAGENET}}

CFG = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
TIMM = {
    "resnet50.a1_in1k": {"input_size": [3, 224, 224], "interpolation": "bicubic", "crop_pct": 0.95, "crop_mode": "center", **CFG},
    "convnext_base.fb_in22k_ft_in1k_384": {
        "input_size": [3, 384, 384], "interpolation": "bicubic", "crop_pct": 1.0, "crop_mode": "squash", **CFG,
    },
    "a network that squashes around its crop": {
        "input_size": [3, 224, 224], "interpolation": "bilinear", "crop_pct": 0.9, "crop_mode": "squash", **CFG,
    },
    "a network with a border": {"input_size": [3, 224, 224], "interpolation": "bicubic", "crop_pct": 1.0, "crop_mode": "border", **CFG},
    "a network with a border that is cropped": {
        "input_size": [3, 240, 240], "interpolation": "bilinear", "crop_pct": 0.8, "crop_mode": "border", **CFG,
    },
    "inception_v3.tf_in1k": {"input_size": [3, 299, 299], "interpolation": "bicubic", "crop_pct": 0.875, "mean": [0.5] * 3, "std": [0.5] * 3},
    "mobilenetv3 without a crop_pct": {"input_size": [3, 224, 224], "interpolation": "bilinear", **CFG},
}

CLIP = {"mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]}
OPEN_CLIP = {
    "ViT-B-32 of immich": {
        "size": [224, 224], "mode": "RGB", **CLIP, "interpolation": "bicubic", "resize_mode": "shortest", "fill_color": 0,
    },
    "ViT-B-16-SigLIP of immich": {
        "size": [224, 224], "mode": "RGB", "mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash",
        "fill_color": 0,
    },
    "a network with a coloured border": {
        "size": 224, "mode": "RGB", **CLIP, "interpolation": "bilinear", "resize_mode": "longest", "fill_color": 128,
    },
}


def processor_class(config):
    """The class of a file that works by Pillow."""
    name = config.get("image_processor_type") or config["feature_extractor_type"]
    stem = name.replace("ImageProcessorFast", "").replace("ImageProcessor", "").replace("FeatureExtractor", "")
    transformers = importlib.import_module("transformers")
    for suffix in ("ImageProcessorPil", "ImageProcessor"):
        found = getattr(transformers, stem + suffix, None)
        if found is not None:
            return found
    raise LookupError(name)


def by_transformers(config, is_bytes=True):
    processor = processor_class(config).from_dict(config)
    rescale = processor.rescale_factor if processor.do_rescale else 1.0
    offset = -1.0 if getattr(processor, "rescale_offset", False) else 0.0
    mean, std = np.zeros(3), np.ones(3)
    if getattr(processor, "do_normalize", False):
        mean, std = np.array(processor.image_mean), np.array(processor.image_std)
    if getattr(processor, "include_top", False):
        std = std * np.array(processor.image_std)
    flipped = bool(getattr(processor, "do_flip_channel_order", False))
    scale = rescale / std
    run = lambda image: np.asarray(processor(image, return_tensors="np" if is_bytes else "pt")["pixel_values"][0])
    return lambda image: facts(run(image), (mean - offset) / rescale, scale, flipped, is_bytes)


def by_timm(cfg):
    from timm.data import create_transform, resolve_data_config

    transform = create_transform(**resolve_data_config({}, pretrained_cfg=cfg), is_training=False)
    mean, std = np.array(cfg["mean"]), np.array(cfg["std"])
    return lambda image: facts(transform(image), mean * 255, 1 / 255 / std)


def by_open_clip(cfg):
    from open_clip.transform import PreprocessCfg, image_transform_v2

    transform = image_transform_v2(PreprocessCfg(**cfg), is_train=False)
    mean, std = np.array(cfg["mean"]), np.array(cfg["std"])
    return lambda image: facts(transform(image), mean * 255, 1 / 255 / std)


def interpolations():
    """torch's resize without antialiasing: of float pixels, rounded, and how far torchvision's of bytes is from that."""
    import torch
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.v2 import functional as F

    for name, size in PICTURES.items():
        bytes_ = torch.from_numpy(np.array(picture(*size))).permute(2, 0, 1).contiguous()
        for mode in ("bilinear", "bicubic"):
            for side in (96, 512):
                floats = torch.nn.functional.interpolate(bytes_[None].double(), (side, side), mode=mode, align_corners=False)
                rounded = floats[0].round().clamp(0, 255).to(torch.uint8)
                of_bytes = F.resize(bytes_, [side, side], InterpolationMode(mode), antialias=False)
                difference = (rounded.int() - of_bytes.int()).abs()
                rgb = rounded.permute(1, 2, 0).contiguous().numpy()
                yield {
                    "picture": name, "kernel": mode, "size": side, "pixels": hashlib.sha256(rgb.tobytes()).hexdigest(),
                    "mostOfBytes": int(difference.max()), "meanOfBytes": float(difference.float().mean()),
                }


def cases():
    for by, file, make, descriptions, wrap in [
        ("transformers", "preprocessor_config.json", by_transformers, TRANSFORMERS, lambda name, cfg: cfg),
        ("transformers", "preprocessor_config.json", by_transformers, DEFAULTS, lambda name, cfg: cfg),
        ("transformers", "preprocessor_config.json", lambda cfg: by_transformers(cfg, False), FLOATS, lambda name, cfg: cfg),
        ("timm", "config.json", by_timm, TIMM, lambda name, cfg: {"architecture": name, "num_features": 1, "pretrained_cfg": cfg}),
        ("open_clip", "preprocess_cfg.json", by_open_clip, OPEN_CLIP, lambda name, cfg: cfg),
    ]:
        for name, config in descriptions.items():
            facts_of = make(config)
            shown = ["wide"] if descriptions is DEFAULTS else PICTURES
            pictures = {key: facts_of(picture(*PICTURES[key])) for key in shown}
            yield {"name": name, "by": by, "file": file, "config": wrap(name, config), "pictures": pictures}


if __name__ == "__main__":
    packages = ["transformers", "timm", "open_clip_torch", "torch", "torchvision", "pillow", "numpy"]
    document = {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "pictures": PICTURES,
        "cases": list(cases()),
        "interpolations": list(interpolations()),
    }
    path = Path(__file__).with_name("golden.json")
    # A line for each case.
    lines = {key: [json.dumps(entry) for entry in document.pop(key)] for key in ("cases", "interpolations")}
    head = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in document.items()]
    lists = [f'"{key}": [\n' + ",\n".join(entries) + "\n]" for key, entries in lines.items()]
    path.write_text("{\n" + ",\n".join(head + lists) + "\n}\n")
    print(path, document["versions"])
