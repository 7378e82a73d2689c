"""Training a network on images of maps: how their rows are batched, flipped and turned."""

import torch
from torch import Tensor, nn

from imle_core.perception.maps import ImageMaps
from imle_core.training import Clock, LearningMethod, LossReduction, NetworkTraining


class PerceptionTraining(NetworkTraining):
    """Trains a network on images of maps; see :class:`imle_core.training.NetworkTraining` for what all trainings share.

    The step size of Adam rises over the first steps and then falls to 0 along a cosine.

    Args:
        network: from images ``(B, 8H, 8W, 3)`` uint8 to costs ``(B, H, W)``; it is trained in place, where it is.
        method: how it learns.
        maps: the training data.
        epochs: how often it sees each map.
        batch: maps of a step, in one process.
        lr: largest learning rate.
        augment: turn each map by 180 degrees and flip it along its diagonal, each with probability 1/2: the cheapest path
            is turned along with it. Only square maps are flipped.
        loss_reduction: "sum" over maps; "mean" divides each map's step lambda by their number, so that a small lambda
            moves nothing and most gradients are 0.
        seed: decides order and augmentation.
        generator: of the method's noise, to be saved with the rest.
        clock: of the method.

    Raises:
        ArgumentError: a setting outside its range, fewer maps than processes; in a step, predicted costs that are no
            numbers, or of another shape.
    """

    words = "maps"

    def __init__(
        self,
        network: nn.Module,
        method: LearningMethod,
        maps: ImageMaps,
        *,
        epochs: int = 10,
        batch: int = 16,
        lr: float = 3e-3,
        augment: bool = False,
        loss_reduction: LossReduction = "sum",
        seed: int = 0,
        generator: torch.Generator | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            network,
            method,
            maps,
            epochs=epochs,
            batch=batch,
            lr=lr,
            schedule="cosine",
            loss_reduction=loss_reduction,
            seed=seed,
            generator=generator,
            clock=clock,
        )
        self.maps, self.augment = maps, augment

    def draw(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        """The order of an epoch's maps, and how each is turned."""
        (order,) = super().draw(generator)
        turns = torch.randint(4, order.shape, generator=generator)
        square = self.maps.size[0] == self.maps.size[1]
        return order, turns if square else turns & 2

    def batch(self, *drawn: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Images, gold paths and true costs of rows, as they are turned; maps that are turned alike come together."""
        rows, turns = drawn
        groups = [(rows[turns == turn], turn) for turn in turns.unique().tolist()] if self.augment else [(rows, 0)]
        images, paths, costs = (
            torch.cat([_turned(values[group], turn) for group, turn in groups]).to(self.device)
            for values in (self.maps.images, self.maps.paths, self.maps.costs)
        )
        return images, paths, costs


def _turned(rows: Tensor, turn: int) -> Tensor:
    """Rows ``(B, H, W, ...)``: an odd turn flips them along their diagonal, 2 and 3 turn them by 180 degrees."""
    flipped = rows.transpose(1, 2) if turn & 1 else rows
    return flipped.flip(1, 2) if turn & 2 else flipped
