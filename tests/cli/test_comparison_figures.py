"""Pictures of a comparison."""

import numpy as np
from PIL import Image

from imle_cli.canvas import encode
from imle_cli.comparison_figures import Curve, comparison_figure

CURVE = Curve([0.1, 1.0, 10.0], [0.0, 0.1, 0.9], [5.0, 0.5, 0.05], 1.0)


def test_two_panels_or_one():
    cosines = {f"estimator-{number}": {1: 0.1, 10: 0.5} for number in range(16)}
    both = comparison_figure({"estimator-0": CURVE}, cosines, title="t", samples=10)
    alone = comparison_figure({}, cosines, title="t", samples=1)
    assert len(both.axes) == 2
    assert len(alone.axes) == 1
    looks = {(line.get_color(), line.get_linestyle(), line.get_marker()) for line in alone.axes[0].lines}
    assert len(looks) == 16


def test_it_is_drawn_in_full_and_the_same_each_time(tmp_path):
    figure = comparison_figure({"a": CURVE}, {"a": {1: -0.2, 3: 0.4}, "b": {}}, title="$x_", samples=1)
    data = encode(figure, "png")
    (tmp_path / "a.png").write_bytes(data)
    with Image.open(tmp_path / "a.png") as image:
        assert np.asarray(image.convert("L")).min() < 50
    assert figure.axes[1].get_ylim()[0] < -0.2
    assert data == encode(comparison_figure({"a": CURVE}, {"a": {1: -0.2, 3: 0.4}, "b": {}}, title="$x_", samples=1), "png")
