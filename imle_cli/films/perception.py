"""Films of a training on images: images with paths above predicted costs, step by step."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from imle_cli.figures.path_lines import segments
from imle_cli.films.frames import FREE, GOLD, PALETTE, PATH, WHITE, Panel, Pixels, Scale, Scene, greys
from imle_cli.films.timing import Films
from imle_cli.runs.directories import HISTORY, RunError
from imle_cli.runs.perception import Views
from imle_core.perception import TOLERANCE

_MOST = 2  # maps side by side


class PerceptionFilms(Films):
    """The film of a run, by name: for two maps the image with both paths, and below it the predicted costs.

    Costs are learned up to scale only: those of a step are divided by their mean.

    Args:
        views: what was recorded.
        estimator: by what it learned.
        size: pixels of a frame's longer side.
        maximum: how many frames there may be.

    Raises:
        RunError: nothing was recorded.
    """

    def __init__(self, views: Views, estimator: str, size: int, maximum: int):
        if not views.steps:
            raise RunError(HISTORY, "nothing was recorded before the run stopped; go on with imle perceive --resume")
        self.views, self.estimator, self.size = views, estimator, size
        super().__init__(len(views.steps), maximum)
        self.maps = range(min(_MOST, len(views.images)))
        self.palette, self.images = _with_colours_of(views.images[:_MOST])
        last = views.costs[-1][:_MOST]
        self.high = float(last.max() / (last.mean() or 1.0))
        self.films = {"perceiving": self._frames}

    def _frames(self) -> Iterator[Pixels]:
        scene = Scene(self.images.shape[1:3], self.size, 2 * len(self.maps), captions=True)
        for record in self.shown:
            panels = [self._image(scene, record, number) for number in self.maps]
            panels += [self._costs(scene, record, number) for number in self.maps]
            yield scene.frame(f"{self.estimator}  ·  after {self.views.steps[record]} steps", panels)

    def _image(self, scene: Scene, record: int, number: int) -> Panel:
        gold, path, truth = self.views.gold[number], self.views.paths[record][number], self.views.truth[number]
        picture = Image.fromarray(_resized(self.images[number], scene))
        tile = scene.height / len(gold)
        drawing = ImageDraw.Draw(picture)
        for mask, colour, width in ((gold, GOLD, tile / 3), (path, PATH, tile / 8)):
            thick = max(1, round(width))
            for shown, around in ((WHITE, thick + max(2, thick // 2)), (colour, thick)):
                for line in segments(mask):
                    ends = [tuple(end) for end in ((line + 0.5) * tile).tolist()]
                    drawing.line(ends, fill=shown, width=around)
        regret = float((path * truth).sum(dtype=float) / (gold * truth).sum(dtype=float)) - 1
        caption = "path as cheap as gold" if regret <= TOLERANCE else f"path, {regret:.1%} too expensive"
        return Panel(np.array(picture), caption, ((GOLD, "gold"), (PATH, "predicted")))

    def _costs(self, scene: Scene, record: int, number: int) -> Panel:
        costs = self.views.costs[record][:_MOST] / (self.views.costs[record][:_MOST].mean() or 1.0)
        level = greys(_resized(costs[number], scene), 0.0, self.high)
        return Panel(level, "predicted costs (mean: 1)", Scale("0", f"{self.high:.3g}", is_grey=True))


def _with_colours_of(images: NDArray[np.uint8]) -> tuple[Pixels, Pixels]:
    """A palette whose free places have the colours of the images, and the images ``(M, 8H, 8W)`` in these."""
    count, height, width, _ = images.shape
    free = len(PALETTE) - 1 - FREE  # the last colour is that of what does not change
    picture = Image.fromarray(images.reshape(count * height, width, 3)).quantize(free, dither=Image.Dither.NONE)
    colours = np.array(picture.getpalette(), dtype=np.uint8).reshape(-1, 3)
    palette = PALETTE.copy()
    palette[FREE : FREE + len(colours)] = colours[:free]
    return palette, (np.asarray(picture) + np.uint8(FREE)).reshape(count, height, width)


def _resized(pixels: NDArray[Any], scene: Scene) -> NDArray[Any]:
    """The picture in the size that the scene shows, by the nearest pixel."""
    rows, columns = (np.arange(side) * len(line) // side for side, line in ((scene.height, pixels), (scene.width, pixels.T)))
    return pixels[rows][:, columns]
