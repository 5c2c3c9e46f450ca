"""The explorer's page: seconds to write, size, agreement of its analogies, and speed in headless Chromium.

    python bench/explorer.py vectors.vec --limit 50000

Needs selenium, Chromium with its driver, and gensim for Google's analogies. 50,000 words × 100 dimensions of 100 MB of
Wikipedia, two cores of an AMD EPYC (Zen 5), points drawn by software (SwiftShader): 4.3 s, 11.7 MB, the same answer
to 97.8 % of the questions, 0.8 s until the second picture, 50 pictures a second while the map moves. 300,000 words:
85.8 MB, 4.7 s and 13 pictures a second.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from selenium import webdriver

from embedtrain import WordVectors
from embedtrain.vectors.analogies import solve
from embedtrain.vectors.evaluation_files import read_analogies

OPTIONS = "headless no-sandbox disable-gpu window-size=1200,800 use-angle=swiftshader enable-unsafe-swiftshader".split()
SECOND_PICTURE = "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))"
PICTURES_A_SECOND = """
const [zoom, done] = arguments, view = explorer.view, start = performance.now();
view.zoom = zoom;
let n = 0;
requestAnimationFrame(function move(now) {
  view.pan(8 * Math.sin(++n / 10), 8 * Math.cos(n / 10));
  if (now < start + 3000) requestAnimationFrame(move);
  else done(n / (now - start) * 1000);
});
"""


def known_questions(vectors: WordVectors) -> np.ndarray:
    """The rows a, b and c of Google's questions whose words are all known."""
    questions = [question for section in read_analogies("google") for question in section.questions]
    rows = [[vectors.index.get(word.lower(), -1) for word in question] for question in questions]
    return np.array([found[:3] for found in rows if -1 not in found])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors")
    parser.add_argument("--limit", type=int, default=50_000)
    parser.add_argument("--questions", type=int, default=1000, help="questions, of Google's, that the page answers")
    args = parser.parse_args()
    vectors = WordVectors.load(args.vectors, limit=args.limit)
    vectors.neighbors(vectors.words[:100])  # compiles
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for option in OPTIONS:
        options.add_argument(f"--{option}")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        start = time.perf_counter()
        vectors.explore(page, limit=args.limit, projection="pca", max_size="1G")
        print(f"written in {time.perf_counter() - start:.1f} s, {page.stat().st_size / 1e6:.1f} MB", flush=True)
        with webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver"))) as browser:
            start = time.perf_counter()
            browser.get(page.as_uri())
            browser.execute_async_script(SECOND_PICTURE)
            print(f"second picture after {time.perf_counter() - start:.2f} s")
            for zoom in (1, 4, 20):
                print(f"zoom {zoom}: {browser.execute_async_script(PICTURES_A_SECOND, zoom):.0f} pictures/s")
            rows = known_questions(vectors)
            rows = np.random.default_rng(1).permutation(rows)[: args.questions]
            wanted = solve(vectors.vectors, vectors.norms, rows, "add", np.arange(len(vectors)))
            script = "return arguments[0].map((rows) => explorer.analogy(...rows, 1)[0][0])"
            found = browser.execute_script(script, rows.tolist())
            print(f"{np.mean(np.array(found) == wanted):.1%} of {len(rows):,} analogies have the same best answer")


if __name__ == "__main__":
    main()
