"""``python -m embedtrain``."""

from embedtrain.cli import main

main(prog_name="embedtrain")
