"""Images to sums, alone or side by side: the same for threads and for worker processes."""

from collections.abc import Sequence

from livepdf.errors import FrameError
from livepdf.model.frame import PackedImage
from livepdf.model.sums import Sums
from livepdf.reduction.integrator import Integrator


def integrate_images(
    integrator: Integrator,
    images: Sequence[PackedImage],
    *,
    monitors: Sequence[float | None],
    exposures: Sequence[float | None],
    by_monitor: bool,
    by_exposure: bool,
) -> list[Sums | FrameError]:
    """Return the sums of each image; in place of an unusable one, why."""
    if len(images) > 1:
        return integrator.integrate_batch(
            images,
            monitors=monitors,
            exposures=exposures,
            normalize_monitor=by_monitor,
            normalize_exposure=by_exposure,
        )
    try:
        return [
            integrator.integrate_packed(
                image,
                monitor=monitor,
                exposure=exposure,
                normalize_monitor=by_monitor,
                normalize_exposure=by_exposure,
            )
            for image, monitor, exposure in zip(images, monitors, exposures, strict=True)
        ]
    except FrameError as error:
        return [error]
