"""Text that is not English comes through byte for byte, from the corpus to vectors that others load."""

import pytest

from embedtrain import WordVectors, train_skipgram

TEXTS = {
    "Chinese, segmented": "我 爱 北京 天安门 \u3000 北京 是 中国 的 首都",
    "Japanese": "吾輩 は 猫 で ある 。 名前 は まだ 無い 、 ﾊﾝｶｸ",
    "Korean": "나는 사과를 먹는다 나는 배를 먹는다",
    "Korean in jamo": "\u1102\u1161 \u1109\u1161\u1100\u116a \u1102\u1161",  # decomposed: not to be composed
    "emoji": "😀 👩‍👩‍👧‍👦 👍🏽 🇩🇪 ❤️ 😀",
    "combining marks": "e\u0301 é n\u0303 ñ Z̸̢͝a̵l̶g̴o",
    "right to left": "שלום עולם مرحبا بالعالم مُرَحَّب",
    "Thai and Devanagari": "สวัสดี ชาวโลก नमस्ते दुनिया क्\u200dष",
    "Turkish and German": "İstanbul ılık Straße STRASSE",
    "beyond the basic plane": "𝒳 𐍈 𓀀 🜁 \U0010fffd",
}


@pytest.fixture(params=TEXTS.values(), ids=TEXTS)
def text(request):
    return request.param


def trained(tmp_path, text):
    """The vectors of a text, and the file of them."""
    corpus, saved = tmp_path / "corpus.txt", tmp_path / "corpus.vec"
    corpus.write_text((text + "\n") * 5, encoding="utf-8")
    vectors = train_skipgram(corpus, dim=8, epochs=1, threads=1, min_count=1, sample=0, progress=False)
    vectors.save(saved)
    return vectors, saved


def test_words_come_through_byte_for_byte(tmp_path, text):
    vectors, saved = trained(tmp_path, text)
    assert set(vectors.words) == set(text.split())
    assert WordVectors.load(saved).words == vectors.words


@pytest.mark.clients
def test_words_come_to_gensim_byte_for_byte(tmp_path, text):
    gensim = pytest.importorskip("gensim", reason="gensim is not installed")
    vectors, saved = trained(tmp_path, text)
    theirs = gensim.models.KeyedVectors.load_word2vec_format(str(saved))
    assert theirs.index_to_key == vectors.words
    assert theirs.vectors.tobytes() == vectors.vectors.tobytes()
