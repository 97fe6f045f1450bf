"""The photographs of a data set in the order in which all peers take them."""

from pathlib import Path

# What Keras' flow_from_directory lists (keras/src/legacy/preprocessing/image.py).
EXTENSIONS = {".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".tif", ".tiff"}


def list_images(root: Path, folders: list[str]) -> list[Path]:
    """Pictures under the class folders of each split folder."""
    classes = [c for folder in folders for c in sorted((root / folder).iterdir()) if c.is_dir()]
    return [file for c in classes for file in sorted(c.rglob("*")) if file.suffix.lower() in EXTENSIONS]
