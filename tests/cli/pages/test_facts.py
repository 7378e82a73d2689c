"""Lists of facts: any text is shown as it is."""

from imle_cli.pages.facts import fact_list


def test_texts_are_escaped_and_live_ones_come_first():
    assert fact_list([("map", "<a&b>.png")], [("cost", "measure")]) == (
        '<dl class="facts"><dt>cost</dt><dd id="measure"></dd><dt>map</dt><dd>&lt;a&amp;b&gt;.png</dd></dl>'
    )
