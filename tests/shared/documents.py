"""What users read in Markdown: the README and the pages of the guide, their blocks, commands and links."""

import ast
import contextlib
import importlib.util
import io
import re
import sys
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from imle_cli.guide import pages
from imle_cli.guide.links import anchors, links
from imle_core import StepSizeWarning

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "imle_cli" / "guide"
# Libraries whose blocks are run where they are installed.
OPTIONAL = {"lightning", "ortools", "skorch", "transformers"}


@dataclass(frozen=True)
class Block:
    """A block of code, the line that it begins in, and the block of text after it, which is what it prints."""

    language: str
    code: str
    line: int
    printed: str | None

    @property
    def missing(self):
        """The first library that it imports, of those that may be missing, and that is."""
        trees = [node for node in ast.walk(ast.parse(self.code)) if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {alias.name for node in trees if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module for node in trees if isinstance(node, ast.ImportFrom)}
        wanted = sorted({name.partition(".")[0] for name in names} & OPTIONAL)
        return next((name for name in wanted if importlib.util.find_spec(name) is None), None)

    @property
    def needs(self):
        """Whether it imports one of these libraries."""
        return any(re.search(rf"^(import|from) {name}\b", self.code, re.MULTILINE) for name in OPTIONAL)

    @property
    def file(self):
        """Name of the file that its first line says it is; empty for none."""
        found = re.match(r"# (\w+\.py)\n", self.code)
        return found[1] if found else ""


@dataclass(frozen=True)
class Document:
    """A file in Markdown."""

    path: Path

    @property
    def name(self):
        return self.path.stem

    @cached_property
    def text(self):
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def blocks(self):
        found = []
        pattern = r"^```(\w+)\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?"
        for match in re.finditer(pattern, self.text, flags=re.MULTILINE | re.DOTALL):
            line = self.text[: match.start()].count("\n") + 2
            found.append(Block(match[1], match[2], line, match[3]))
        return found

    @property
    def programs(self):
        return [block for block in self.blocks if block.language == "python"]

    @property
    def commands(self):
        lines = [line for block in self.blocks if block.language == "sh" for line in block.code.splitlines()]
        return [line for line in lines if line.startswith("imle ")]

    @property
    def pictures(self):
        return [self.target(link) for link in links(self.text) if link.picture]

    @property
    def anchors(self):
        return anchors(self.text)

    @property
    def links(self):
        return [link for link in links(self.text) if not link.picture]

    def target(self, link):
        """The file that a link leads to, from the root of the repository."""
        return (self.path.parent / link.path).resolve().relative_to(ROOT).as_posix()


README = Document(ROOT / "README.md")
PAGES = [Document(GUIDE / f"{page.name}.md") for page in pages()]
DOCUMENTS = [README, *PAGES]
# A command that stands in several documents is run once.
COMMANDS = list(dict.fromkeys(line for document in DOCUMENTS for line in document.commands))
PICTURES = sorted({picture for document in DOCUMENTS for picture in document.pictures})


def run(document, blocks):
    """Runs blocks of a document one after the other, as in a notebook; what each prints must be what the document says,
    warnings about steps included.

    A block that is a file is written beside, where the blocks after it may import it, and is imported by none else.
    """
    names = {"__name__": "__main__"}
    modules = set(sys.modules)
    with _importable(Path.cwd()):
        for block in blocks:
            if block.file:
                Path(block.file).write_text(block.code, encoding="utf-8")
                continue
            output = io.StringIO()
            code = compile("\n" * (block.line - 1) + block.code, str(document.path), "exec")
            with contextlib.redirect_stdout(output), warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always", StepSizeWarning)
                exec(code, names)
            notices = [warning for warning in told if issubclass(warning.category, StepSizeWarning)]
            output.writelines(f"{warning.category.__name__}: {warning.message}\n" for warning in notices)
            if block.printed is None and block.needs:
                continue  # what other libraries print is theirs
            assert output.getvalue() == (block.printed or ""), f"{document.path}:{block.line}"
    for name in {name for block in blocks if (name := Path(block.file).stem)} - modules:
        sys.modules.pop(name, None)


@contextlib.contextmanager
def _importable(folder):
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
