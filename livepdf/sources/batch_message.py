"""A batch as a message between livepdf and its reading process, there and back."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.model.frame import Integrated, PackedImage
from livepdf.sources.batch import Batch, Facts, FileState, ReadImage, Unusable
from livepdf.sources.qxrd import Sidecar

Blob = bytes | memoryview


def to_message(batch: Batch) -> tuple[dict[str, Any], list[Blob]]:
    """Return header and blobs: those of the images, then the mask, then the axis of patterns."""
    blobs: list[Blob] = [item.image.blob for item in batch.images if isinstance(item, ReadImage)]
    facts, blobs_of_facts = _facts_to_message(batch.facts)
    header = {
        "images": [_image_to_message(item) for item in batch.images],
        "more": batch.more,
        "growing": batch.growing,
        "stack": batch.stack,
        "sidecar": asdict(batch.sidecar),
        "facts": facts,
        "modified": batch.modified,
        "state": batch.state,
    }
    return header, blobs + blobs_of_facts


def from_message(header: dict[str, Any], blobs: Sequence[memoryview]) -> Batch:
    """Return the batch of which ``to_message`` made header and blobs."""
    left = iter(blobs)
    return Batch(
        images=[_image_from_message(entry, left) for entry in header["images"]],
        more=header["more"],
        growing=header["growing"],
        stack=header["stack"],
        sidecar=Sidecar(**header["sidecar"]),
        facts=_facts_from_message(header["facts"], left),
        modified=header["modified"],
        state=None if header["state"] is None else FileState(*header["state"]),
    )


def _image_to_message(item: ReadImage | Unusable) -> dict[str, Any]:
    if isinstance(item, Unusable):
        return {"number": item.number, "refused": item.reason, "detail": item.detail}
    image = item.image
    return {
        "number": item.number,
        "exposure": item.exposure,
        "monitor": item.monitor,
        "time": item.time,
        "label": item.label,
        "environment": dict(item.environment),
        "algorithm": image.algorithm,
        "shape": image.shape,
        "dtype": image.dtype.str,
    }


def _image_from_message(entry: dict[str, Any], blobs: Any) -> ReadImage | Unusable:
    if "refused" in entry:
        return Unusable(number=entry["number"], reason=entry["refused"], detail=entry["detail"])
    rows, columns = entry["shape"]
    image = PackedImage(
        blob=next(blobs),
        algorithm=entry["algorithm"],
        shape=(rows, columns),
        dtype=np.dtype(entry["dtype"]),
    )
    same = ("number", "exposure", "monitor", "time", "label", "environment")
    return ReadImage(image=image, **{key: entry[key] for key in same})


def _facts_to_message(facts: Facts) -> tuple[dict[str, Any], list[Blob]]:
    blobs: list[Blob] = []
    header: dict[str, Any] = {
        "saturation": facts.saturation,
        "wavelength": facts.wavelength,
        "metadata": dict(facts.metadata),
    }
    if facts.mask is not None:
        header["mask"] = facts.mask.shape
        blobs.append(np.packbits(facts.mask).tobytes())
    if facts.integrated is not None:
        header["integrated"] = {
            "solid_angle": facts.integrated.solid_angle,
            "polarization": facts.integrated.polarization,
        }
        blobs.append(facts.integrated.q.astype(np.float64).tobytes())
    return header, blobs


def _facts_from_message(header: dict[str, Any], blobs: Any) -> Facts:
    mask: NDArray[np.bool_] | None = None
    integrated = None
    if "mask" in header:
        rows, columns = header["mask"]
        bits = np.frombuffer(next(blobs), np.uint8)
        mask = np.unpackbits(bits, count=rows * columns).astype(np.bool_).reshape(rows, columns)
    if "integrated" in header:
        integrated = Integrated(q=np.frombuffer(next(blobs)), **header["integrated"])
    return Facts(
        mask=mask,
        saturation=header["saturation"],
        wavelength=header["wavelength"],
        integrated=integrated,
        metadata=header["metadata"],
    )
