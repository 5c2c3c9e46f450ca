"""The command ``embedtrain``, also as ``python -m embedtrain``."""

import atexit
import gc
import sys

gc.set_threshold(100_000)  # what is imported stays: collections and the last one take a tenth of a short run
atexit.register(gc.freeze)
try:
    from embedtrain.cli import main
except KeyboardInterrupt:  # the command line reports later ones
    sys.stderr.write("Error: interrupted; nothing was saved\n")
    sys.exit(130)

if __name__ == "__main__":
    main(prog_name="embedtrain")
