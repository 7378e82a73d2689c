"""One page as one text of HTML: style, scripts and data are in it, and it requests nothing, from anywhere.

A page opens from the disk, in light and dark, on a phone and on a projector, and is worked by mouse, finger or keyboard.
What it may do stands in its Content-Security-Policy: run the scripts and use the styles whose digests are named there, show
pictures that it carries with it, and nothing else.
"""

import base64
import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from imle_cli.pages.bundle import bundle, read_style
from imle_cli.pages.packing import pack

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="imle {version}">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header class="top">
<h1>{title}</h1>
<button type="button" id="theme" class="needs-script" aria-label="Dark colours" aria-pressed="false"></button>
</header>
<noscript>
<figure class="still">{still}
<figcaption>{still_text} This is a still picture: scripts are off in this browser; with scripts on, it is live.</figcaption>
</figure>
</noscript>
<main class="needs-script">
{body}
</main>
<script type="application/json" id="data">{data}</script>
<script type="module">{script}</script>
</body>
</html>
"""


def page(
    title: str,
    body: str,
    data: Mapping[str, Any],
    script: str,
    *,
    still: bytes | None = None,
    still_text: str = "",
    styles: Sequence[str] = (),
) -> str:
    """The page, as text.

    Args:
        title: its heading and name, any text.
        body: HTML between the heading and the end; texts in it have gone through :func:`text`. Its elements may have
            classes of ``styles/page.css``, but no ``style`` attributes, and no ``on...`` attributes, which the policy
            forbids.
        data: what ``readData()`` of ``scripts/data.js`` gives: values of JSON, and arrays of NumPy, which are packed.
            Numbers arrive as they are, to the bit; none may be NaN or infinite outside of arrays.
        script: the file in ``scripts`` that works the page; what it imports comes with it.
        still: content of a PNG that is shown where scripts are off.
        still_text: what the picture shows, for those who do not see it, and below it for those who do.
        styles: names of further files in ``styles``.
    """
    style = "\n".join(read_style(name) for name in ("page.css", *styles))
    code = f"\n{bundle(script)}"
    packed = json.dumps(data, allow_nan=False, default=pack, separators=(",", ":"))
    return _PAGE.format(
        policy=_policy(style, code),
        version=version("imle"),
        title=text(title),
        style=style,
        still="" if still is None else f'<img src="{picture_address(still)}" alt="{text(still_text)}">',
        still_text=text(still_text),
        body=body,
        data=packed.replace("<", "\\u003c"),  # so that no text in it ends the element
        script=code,
    )


def text(words: str) -> str:
    """Any text as HTML that shows it, in elements and in attributes; undecoded bytes of file names become signs."""
    return html.escape(words.encode("utf-8", "replace").decode())


def picture_address(content: bytes) -> str:
    """Address of a PNG that the page carries with it."""
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def _policy(style: str, code: str) -> str:
    """Content-Security-Policy that allows this style and this code alone, and pictures that the page carries."""
    style_digest, code_digest = (
        base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() for content in (style, code)
    )
    return (
        f"default-src 'none'; style-src 'sha256-{style_digest}'; script-src 'sha256-{code_digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
