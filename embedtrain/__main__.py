"""The command ``embedtrain``, also as ``python -m embedtrain``."""

import atexit
import gc
import os
import sys

if any(os.environ.get(name, "1") != "1" for name in ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS")):
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads wait busily and hold up other ranks
gc.set_threshold(100_000)  # what is imported stays: collections and the last one take a tenth of a short run
atexit.register(gc.freeze)
try:
    from embedtrain.cli import main
except KeyboardInterrupt:  # the command line reports later ones
    sys.stderr.write("Error: interrupted; nothing was saved\n")
    sys.exit(130)

if __name__ == "__main__":
    main(prog_name="embedtrain")
