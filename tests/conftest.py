import sys
from pathlib import Path

# The plain forms and the toy corpus are modules beside the tests, not parts of the package.
ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "corpora")]
