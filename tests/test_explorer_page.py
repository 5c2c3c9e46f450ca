"""The explorer's page in Chromium: what people see and do."""

import json
import re
import shutil
import time

import generate
import numpy as np
import pytest
from runs import TOY, some_vectors
from test_explorer import HOSTILE

from embedtrain import WordVectors, train_skipgram
from embedtrain.vectors.evaluation_files import read_analogies

pytestmark = pytest.mark.clients
PROGRAM, DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))
OFFLINE = ("disable-background-networking", "disable-component-update", "disable-sync", "disable-quic", "no-first-run")
SOFTWARE = ("use-angle=swiftshader", "enable-unsafe-swiftshader")


def start_browser(folder, *options):
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed; the extra [clients] has it")
    if not PROGRAM or not DRIVER:
        pytest.skip("there is no chromium with chromedriver; install the packages chromium and chromium-driver")
    chosen = selenium.ChromeOptions()
    chosen.binary_location = PROGRAM
    for option in (
        "headless",
        "disable-gpu",
        "no-sandbox",
        f"user-data-dir={folder}/profile",
        "window-size=1200,800",
        *OFFLINE,
        *options,
    ):
        chosen.add_argument(f"--{option}")
    chosen.add_experimental_option("prefs", {"download.default_directory": str(folder)})
    chosen.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return selenium.Chrome(options=chosen, service=selenium.ChromeService(DRIVER))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def browser(folder):
    browser = start_browser(folder, *SOFTWARE)
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def vectors():
    return train_skipgram(TOY, dim=50, epochs=10, threads=2, progress=False)


@pytest.fixture(scope="module")
def toy(vectors, folder):
    """The address of a page of the toy corpus, with labels."""
    labels = {word: name for name, words in generate.CLASSES.items() for word in words if word in vectors}
    vectors.explore(folder / "toy.html", projection="pca", labels=labels)
    return (folder / "toy.html").as_uri()


@pytest.fixture
def open_page(browser):
    """Open an address anew; return functions of the page."""

    def open_page(address):
        browser.get("about:blank")
        for kind in ("browser", "performance"):
            browser.get_log(kind)
        browser.get(address)
        return Page(browser)

    return open_page


class Page:
    """What a person sees and does."""

    def __init__(self, browser):
        self.browser = browser

    def find(self, selector):
        return self.browser.find_element("css selector", selector)

    def texts(self, selector):
        return [found.text for found in self.browser.find_elements("css selector", selector)]

    def run(self, script, *values):
        return self.browser.execute_script(script, *values)

    def type(self, selector, text):
        self.find(selector).clear()
        self.find(selector).send_keys(text)

    def wait(self, condition):
        deadline = time.monotonic() + 20
        while not (found := condition()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return found

    def search(self, word):
        self.run("for (const id of ['selected', 'message']) document.getElementById(id).textContent = ''")
        self.type("#query", word + "\n")
        self.wait(lambda: self.find("#selected").text or self.find("#message").text)
        return self.listed("neighbours")

    def listed(self, name):
        """The words and values of a list."""
        return [(word, float(value)) for word, value in (text.split("\n") for text in self.texts(f"#{name} li"))]

    def solve(self, *words):
        for name, word in zip("abc", words, strict=True):
            self.type(f"#{name}", word)
        self.find("#analogy button").click()
        return self.listed("answers")

    def click(self, word):
        """Click the point of a word, in the middle of the view."""
        from selenium.webdriver import ActionChains

        self.run("explorer.view.show([explorer.find(arguments[0])])", word)
        time.sleep(1)
        ActionChains(self.browser).move_to_element(self.find("#overlay")).click().perform()
        self.wait(lambda: self.find("#selected").text == word)
        return self.listed("neighbours")

    def picture(self):
        return self.find("#points").screenshot_as_png


def assert_same(listed, wanted):
    assert [word for word, _ in listed] == [word for word, _ in wanted]
    assert [value for _, value in listed] == pytest.approx([value for _, value in wanted], abs=0.011)


def test_the_page_loads_without_errors_and_requests(open_page, toy):
    page = open_page(toy)
    page.search("king")
    time.sleep(0.5)
    problems = [entry for entry in page.browser.get_log("browser") if "GPU stall" not in entry["message"]]
    assert problems == []
    events = [json.loads(entry["message"])["message"] for entry in page.browser.get_log("performance")]
    requests = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert {request["request"]["url"].partition("#")[0] for request in requests} == {toy}
    assert page.find("#webgl").is_displayed() is False
    assert "mislead" in page.find("#about").text


def test_search_lists_the_neighbours_of_most_similar(open_page, toy, vectors):
    page = open_page(toy)
    assert_same(page.search("king"), vectors.most_similar("king", topn=20))
    assert page.find("#count").text == f"{vectors.counts[vectors.index['king']]:,} times"
    assert_same(page.search("PARIS"), vectors.most_similar("paris", topn=20))
    page.find("#neighbours button").click()
    nearest = vectors.most_similar("paris", topn=1)[0][0]
    page.wait(lambda: page.find("#selected").text == nearest)
    page.browser.back()
    page.wait(lambda: page.find("#selected").text == "paris")


def test_search_completes_and_suggests(open_page, toy, vectors):
    page = open_page(toy)
    page.type("#query", "pr")
    suggested = page.run("return [...document.querySelectorAll('#suggestions option')].map((option) => option.value)")
    assert suggested[:3] == [word for word in vectors.words if word.startswith("pr")][:3]
    page.search("kingg")
    assert re.match(r"“kingg” is not among the [\d,]+ words; similar:", page.find("#message").text)
    assert "king" in page.texts("#message button")


def test_a_click_on_a_point_lists_its_neighbours(open_page, toy, vectors):
    page = open_page(toy)
    for word in ("king", "seven"):
        assert_same(page.click(word), vectors.most_similar(word, topn=20))
    assert page.find("#hover").text.startswith("seven · ")


def test_analogies_are_those_of_most_similar(open_page, toy, vectors):
    page = open_page(toy)
    answers = page.solve("germany", "berlin", "france")
    assert_same(answers[:1], vectors.most_similar(["berlin", "france"], ["germany"], topn=1))
    assert answers[0][0] == "paris"
    assert page.solve("germany", "berlin", "zzzzz") == []
    assert "“zzzzz” is not among" in page.find("#message").text


def test_at_least_95_of_100_analogies_agree(open_page, toy, vectors):
    page = open_page(toy)
    questions = [q for section in read_analogies(TOY.with_name("toy-questions.txt")) for q in section.questions]
    known = [(a, b, c) for a, b, c, _ in questions if {a, b, c} <= vectors.index.keys()]
    script = "return arguments[0].map((words) => explorer.analogy(...words.map(explorer.find), 1)[0][0])"
    found = [vectors.words[row] for row in page.run(script, known)]
    wanted = [vectors.most_similar([b, c], [a], topn=1)[0][0] for a, b, c in known]
    assert len(known) > 300
    assert np.mean([one == other for one, other in zip(found, wanted, strict=True)]) >= 0.95


def test_analogies_are_absent_without_vectors(open_page, folder, vectors):
    few = WordVectors(vectors.words[:9000], np.tile(vectors.vectors, (1, 12)))
    with pytest.warns(UserWarning, match="no analogies"):
        few.explore(folder / "without.html", projection="pca", max_size="1M")
    page = open_page((folder / "without.html").as_uri())
    assert not page.find("#analogy").is_displayed()
    assert_same(page.search("king"), few.most_similar("king", topn=20))


def test_a_word_is_shown_with_its_neighbours_and_long_words_are_cut(open_page, folder):
    words = ["aa", "x" * 300]
    WordVectors(words, np.array([[1, 0.1], [0.2, 1]], np.float32)).explore(folder / "two.html", projection="pca")
    page = open_page((folder / "two.html").as_uri() + "#aa")
    time.sleep(1)
    width, places = page.run("const {view} = explorer; return [view.width, [0, 1].map((row) => view.toScreen(row)[0])]")
    assert all(0 < place < width for place in places)
    assert page.find("#neighbours li").size["height"] < 40
    page.type("#a", "germany")
    assert page.run("const a = document.querySelector('#a'); return a.scrollWidth <= a.clientWidth")


def test_colours_change(open_page, toy):
    page = open_page(toy)
    pictures = {page.picture()}
    assert set(page.texts("#legend li")) <= {*generate.CLASSES, "other"}
    for kind in ("clusters", "frequency"):
        page.run("const c = document.querySelector('#colour'); c.value = arguments[0]; c.onchange()", kind)
        time.sleep(0.3)
        pictures.add(page.picture())
    page.find("#legend button").click()
    assert page.find("#legend button").get_attribute("aria-pressed") == "true"
    assert page.run("return document.activeElement.ariaPressed") == "true"
    pictures.add(page.picture())
    page.find("#theme").click()
    pictures.add(page.picture())
    assert len(pictures) == 5


def test_an_address_selects_a_word(open_page, toy, vectors):
    page = open_page(toy + "#berlin")
    assert_same(page.listed("neighbours"), vectors.most_similar("berlin", topn=20))
    page = open_page(toy + "#berlinn")
    assert "“berlinn” is not among" in page.find("#message").text
    open_page(toy + "#%")
    assert not page.find("#selection").is_displayed()


def test_a_picture_is_saved(open_page, toy, folder):
    page = open_page(toy + "#king")
    page.find("#export").click()
    saved = folder / "words.png"
    page.wait(saved.exists)
    assert saved.read_bytes().startswith(b"\x89PNG")
    assert saved.stat().st_size > 20_000


def test_keys_move_zoom_and_search(open_page, toy):
    page = open_page(toy)
    state = "const {x, y, zoom} = explorer.view; return [x, y, zoom]"
    page.find("#overlay").send_keys("\ue014")  # right
    assert page.run(state)[0] > 0.5
    page.find("#overlay").send_keys("+")
    assert page.run(state)[2] == pytest.approx(1.3)
    page.find("#overlay").send_keys("/")
    assert page.run("return document.activeElement.id") == "query"
    page.search("king")
    page.find("#overlay").send_keys("\ue00c")  # Escape
    page.wait(lambda: not page.find("#selection").is_displayed())


def test_wheel_and_two_fingers_zoom(open_page, toy):
    page = open_page(toy)
    page.run("""
        const send = (type, id, x, y) => document.querySelector("#overlay").dispatchEvent(Object.assign(
            new PointerEvent(type, {pointerId: id, pointerType: "touch", clientX: x + 300, clientY: y})));
        Element.prototype.setPointerCapture = () => {};
        send("pointerdown", 1, 400, 300);
        send("pointerdown", 2, 500, 300);
        send("pointermove", 2, 600, 300);
        send("pointerup", 1, 400, 300);
        send("pointerup", 2, 600, 300);
    """)
    assert page.run("return explorer.view.zoom") == pytest.approx(2)
    page.run(
        "document.querySelector('#overlay').dispatchEvent(new WheelEvent('wheel', {deltaY: 600, cancelable: true}))"
    )
    assert page.run("return explorer.view.zoom") == pytest.approx(2 / np.e)


def test_words_are_shown_as_text(open_page, folder):
    path = folder / "hostile.html"
    vectors = WordVectors(HOSTILE, some_vectors(HOSTILE).vectors)
    vectors.explore(path, projection="pca", labels={word: word for word in HOSTILE[:6]})
    page = open_page(path.as_uri())
    for word in HOSTILE:
        page.run("location.hash = '#' + encodeURIComponent(arguments[0])", word)
        shown = re.sub("[\u202e\u200b]", lambda match: f"\\u{ord(match[0]):04x}", word)
        page.wait(lambda shown=shown: page.run("return document.querySelector('#selected').textContent") == shown)
        assert len(page.texts("#neighbours li")) == len(HOSTILE) - 1
    assert page.run("return document.querySelectorAll('img, body script:not([id]):not([type])').length") == 0
    assert [entry for entry in page.browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    assert page.run("return [...document.querySelectorAll('#legend bdi')].map((e) => e.textContent)") == HOSTILE[:6]


def test_a_phone_shows_all(open_page, toy):
    page = open_page(toy)
    page.browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 760, "deviceScaleFactor": 2, "mobile": True}
    )
    try:
        page.search("king")
        assert page.run("return document.documentElement.scrollWidth") <= 390
        assert page.find("#overlay").size == {"width": 390, "height": 418}
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_points_return_after_webgl_was_lost(open_page, toy):
    page = open_page(toy)
    before = page.picture()
    page.run("window.gl = document.querySelector('#points').getContext('webgl2').getExtension('WEBGL_lose_context')")
    page.run("gl.loseContext()")
    page.wait(lambda: page.picture() != before)
    page.run("gl.restoreContext()")
    page.wait(lambda: page.picture() == before)


def test_without_webgl_lists_remain(tmp_path, toy, vectors):
    browser = start_browser(tmp_path, "disable-3d-apis")
    try:
        browser.get(toy)
        page = Page(browser)
        assert "no WebGL 2" in page.find("#webgl").text
        assert_same(page.search("king"), vectors.most_similar("king", topn=20))
    finally:
        browser.quit()


@pytest.mark.parametrize("projection", ["umap", "tsne"])
def test_projections_of_other_packages_are_the_same_again(projection, vectors, folder):
    pytest.importorskip({"umap": "umap", "tsne": "openTSNE"}[projection], reason="the extra [plot] has it")
    few = WordVectors(vectors.words[:120], vectors.vectors[:120])
    few.explore(folder / "once.html", projection=projection)
    few.explore(folder / "again.html", projection=projection)
    assert (folder / "once.html").read_bytes() == (folder / "again.html").read_bytes()


@pytest.mark.parametrize(
    "table", [np.ones((12, 4)), np.zeros((12, 4)), np.arange(-6, 6)[:, None]], ids=["1", "0", "dim 1"]
)
def test_words_on_a_line_need_no_other_projection(table, folder):
    pytest.importorskip("openTSNE", reason="the extra [plot] has it")
    vectors = WordVectors([f"w{row}" for row in range(12)], table.astype(np.float32))
    for projection in ("tsne", "pca"):
        vectors.explore(folder / f"{projection}.html", projection=projection)
    pages = [(folder / f"{projection}.html").read_text().replace(projection, "") for projection in ("tsne", "pca")]
    assert pages[0] == pages[1]
