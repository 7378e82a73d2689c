"""Films of the steps of a recorded training."""

from typing import Any

from imle_cli.films.drawn import DrawnTiles
from imle_cli.films.learning import LearningFilms, LearningWords, Moments
from imle_cli.runs.directories import HISTORY, METRICS, RunError
from imle_cli.runs.training import Row, TrainingHistory


class RunFilms(LearningFilms):
    """Films of a run, by name.

    Args:
        history: what was recorded.
        rows: its metrics, from step 0 on.
        options: its options.
        size: pixels of a frame's longer side.
        maximum: how many frames there may be.
        scale: the weights that are white and black; the smallest and the largest of the run if None.

    Raises:
        RunError: nothing was recorded.
    """

    def __init__(
        self,
        history: TrainingHistory,
        rows: list[Row],
        options: dict[str, Any],
        size: int,
        maximum: int,
        scale: tuple[float, float] | None = None,
    ) -> None:
        if not history.steps or not rows:
            empty = METRICS if history.steps else HISTORY
            raise RunError(empty, "nothing was recorded before the run stopped; go on with imle train --resume")
        is_path = options["solver"] == "dijkstra"
        temperatures = f"input temperature {options['input_temp']:g}, target temperature {options['target_temp']:g}"
        moments = Moments(
            history.steps,
            history.weights,
            history.solutions,
            [],
            [row[1] for row in rows],
            [row[0] for row in rows],
            history.gold,
        )
        drawn = DrawnTiles(history.costs.shape, history.costs)
        words = LearningWords("learned costs", "path" if is_path else "set", "tiles", temperatures)
        super().__init__(moments, drawn, words, size, maximum, scale, ("learning", "learning_paths", "learning_weights"))
