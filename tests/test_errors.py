"""Messages: settings in backquotes are spelled as in Python."""

import pickle

import pytest

from embedtrain import train_skipgram
from embedtrain.errors import DataError, EmbedtrainWarning, SettingError, TrainingError, spelled
from embedtrain.machine.progress import note


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("`min_count` must be", "min_count must be"),
        ("set `sample=0` or `vectors='word'`", "set sample=0 or vectors='word'"),
        ("the word '`x`' and \"`y`\"", "the word '`x`' and \"`y`\""),  # of the user's text
        ("write it again with `embedtrain convert`", "write it again with `embedtrain convert`"),
    ],
)
def test_settings_are_spelled_as_in_python(message, shown):
    for kind in (SettingError, DataError, TrainingError, EmbedtrainWarning):
        assert str(kind(message)) == shown
        assert str(pickle.loads(pickle.dumps(kind(message)))) == shown
        assert kind(message).args == (message,)
    with pytest.warns(EmbedtrainWarning) as notes:
        note(message)
    assert str(notes[0].message) == shown


def test_a_surface_has_its_own_spelling():
    assert spelled("`a` and `b_c=1`", lambda *setting: str(setting)) == "('a', None) and ('b_c', '1')"


def test_messages_of_settings_have_no_backquotes():
    with pytest.raises(SettingError, match=r"^max_vocab must be a whole number of at least 2, got 1; "):
        train_skipgram([["a"]], max_vocab=1)
