"""Scripts and styles that lie beside this file, as one text each.

The scripts are modules of JavaScript, one subject a file, which import each other by relative addresses. A page carries
them as one module: those imported come first, and the words ``import`` and ``export`` go, which need files. Their names
share one scope then; the browser refuses a name that is declared twice.
"""

import posixpath
import re
from importlib.resources import files

_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.{1,2}/[a-z_/]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) )", re.MULTILINE)


def bundle(name: str) -> str:
    """The script of this name in ``scripts``, after all that it imports, itself or through others, each once."""
    return "\n".join(_collected(name, {}).values())


def read_style(name: str) -> str:
    """The style of this name in ``styles``."""
    return (files("imle_cli.pages") / "styles" / name).read_text(encoding="utf-8")


def _collected(name: str, known: dict[str, str]) -> dict[str, str]:
    """Scripts by their names, in order, with the one of this name and what it imports added to those known."""
    if name not in known:
        source = _source(name)
        for address in _IMPORT.findall(source):
            _collected(posixpath.normpath(posixpath.join(posixpath.dirname(name), address)), known)
        known[name] = _EXPORT.sub("", _IMPORT.sub("", source))
    return known


def _source(name: str) -> str:
    return (files("imle_cli.pages") / "scripts" / name).read_text(encoding="utf-8")
