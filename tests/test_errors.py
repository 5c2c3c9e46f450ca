"""Messages: settings in backquotes are spelled as in Python."""

import ast
import pickle
import re
from pathlib import Path

import pytest

import embedtrain
from embedtrain import DataError, EmbedtrainWarning, SettingError, TrainingError, train_skipgram
from embedtrain.errors import spelled
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


def test_no_message_of_the_library_names_an_option_of_the_command_line():
    root, found = Path(embedtrain.__file__).parent, []
    for path in set(root.rglob("*.py")) - set((root / "cli").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        strings = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        found += [
            node.value for node in strings if id(node) not in statements and re.search("[ (`]--[a-z]", node.value)
        ]
    assert [text for text in found if "convert --" not in text] == []  # whole commands may be named
