"""Write terminal.svg, a picture of a session in a terminal, from what the commands print (Linux, macOS).

``python docs/make_terminal.py``, after a first run has compiled the kernels.
"""

from __future__ import annotations

import os
import pty
import shlex
import sys
import tempfile
from html import escape
from pathlib import Path

PICTURE = Path(__file__).with_name("terminal.svg")
CORPORA = Path(__file__).parent.parent / "corpora"
COMMANDS = (
    "embedtrain skipgram corpora/toy.txt -o toy.vec --epochs 10",
    "embedtrain neighbors toy.vec king -n 5",
    "embedtrain analogy toy.vec germany berlin france -n 1",
    "embedtrain evaluate toy.vec --analogies corpora/toy-questions.txt",
)
COLUMNS, LINE, CHARACTER, MARGIN = 104, 18, 7.83, 14  # the last three in pixels


def printed(command: str) -> list[str]:
    """The lines that a command leaves on a terminal."""
    output = bytearray()

    def read(terminal: int) -> bytes:
        data = os.read(terminal, 1 << 16)
        output.extend(data)
        return data

    program = [sys.executable, "-m", *shlex.split(command)]
    pty.spawn(["env", f"COLUMNS={COLUMNS}", *program], read)
    lines = output.decode().replace("\r\n", "\n").rstrip("\n").split("\n")
    return [line.rsplit("\r", 1)[-1].replace("\x1b[K", "").rstrip() for line in lines]


def picture(lines: list[str]) -> str:
    """The lines as an SVG."""
    width, height = round(COLUMNS * CHARACTER + 2 * MARGIN), len(lines) * LINE + 2 * MARGIN
    text = ""
    for number, line in enumerate(lines):
        colour = ' fill="#7ee787"' if line.startswith("$ ") else ""
        y = MARGIN + (number + 0.75) * LINE
        text += f'<text x="{MARGIN}" y="{y:g}"{colour} xml:space="preserve">{escape(line, quote=False)}</text>\n'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
        f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>\n'
        f'<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13" fill="#e6edf3">\n'
        f"{text}</g>\n</svg>\n"
    )


def main() -> None:
    """Run the commands in a folder of their own."""
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(CORPORA, Path(folder, "corpora"))
        os.chdir(folder)
        for command in COMMANDS:
            lines += [f"$ {command}", *printed(command), ""]
        os.chdir(CORPORA)
    PICTURE.write_text(picture(lines[:-1]), encoding="utf-8")


if __name__ == "__main__":
    main()
