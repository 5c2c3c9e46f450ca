"""Write explorer.png, a picture of the explorer: ``python docs/make_explorer_picture.py PAGE.html``, the page it shows.

Needs the extra [clients], and Chromium with its driver.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

from selenium import webdriver

from embedtrain import train_skipgram

PICTURE = Path(__file__).with_name("explorer.png")
CORPORA = Path(__file__).parent.parent / "corpora"
OPTIONS = "headless no-sandbox disable-gpu window-size=1100,700 use-angle=swiftshader enable-unsafe-swiftshader".split()


def main(page: Path) -> None:
    """Train, write the page, and take a picture of it."""
    vectors = train_skipgram(CORPORA / "toy.txt", epochs=10, threads=1, progress=False)
    vectors.explore(page, projection="pca")
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    with tempfile.TemporaryDirectory() as profile:
        for option in (*OPTIONS, f"user-data-dir={profile}"):
            options.add_argument(f"--{option}")
        with webdriver.Chrome(options, service) as browser:
            browser.get(f"{page.absolute().as_uri()}#paris")
            time.sleep(2)  # the view moves
            browser.execute_script("explorer.view.zoomAt(120, 240, 0.42)")
            time.sleep(1)
            browser.save_screenshot(str(PICTURE))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
