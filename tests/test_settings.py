"""Settings out of range, a table for each kind of check."""

import inspect
import math
import re

import numpy as np
import pytest
from runs import unreadable
from text_files import refused

from embedtrain import SettingError, cooccurrence_counts, plan_skipgram, train_cbow, train_glove, train_skipgram

WHOLE = "must be a whole number of at least"
REFUSED = [
    # whole numbers
    (train_glove, {"window": 0}, f"window {WHOLE} 1 or 'all', got 0; the default is 10"),
    (train_cbow, {"window": 2.5}, rf"window {WHOLE} 1 or 'all', got 2\.5; the default is 5"),
    (train_skipgram, {"dim": "8"}, f"dim {WHOLE} 1, got '8'"),
    (plan_skipgram, {"dim": 0}, f"dim {WHOLE} 1, got 0"),
    (train_glove, {"epochs": 2**31}, "epochs must be a whole number between 1 and 2147483647, got 2147483648"),
    (train_cbow, {"negative": -1}, f"negative {WHOLE} 0, got -1"),
    (train_cbow, {"min_count": 0}, f"min_count {WHOLE} 1, got 0"),
    (train_skipgram, {"max_vocab": 1}, f"max_vocab {WHOLE} 2, got 1; leave it out"),
    (train_skipgram, {"patience": 0, "valid_share": 0.1}, f"patience {WHOLE} 1, got 0"),
    (cooccurrence_counts, {"threads": -1}, f"threads {WHOLE} 0, got -1"),
    # numbers
    (train_glove, {"x_max": 0}, r"x_max must be above 0 and at most 1e\+30, got 0; the default is 10"),
    (train_glove, {"x_max": math.nan}, r"x_max must be above 0 and at most 1e\+30, got nan"),
    (train_glove, {"x_max": "10"}, r"x_max must be above 0 and at most 1e\+30, got '10'"),
    (train_glove, {"alpha": -0.1}, r"alpha must be between 0 and 10, got -0\.1; 0\.75 is usual; the learning"),
    (train_glove, {"lr": 0}, r"lr must be above 0 and at most 1000, got 0; the default is 0\.05"),
    (train_cbow, {"lr": 1001}, r"lr must be above 0 and at most 1000, got 1001; 0\.05 is usual"),
    (train_skipgram, {"valid_share": -0.1}, r"valid_share must be between 0 and 0\.5, got -0\.1; 0\.01 is"),
    (train_skipgram, {"valid_share": 0.6}, r"valid_share must be between 0 and 0\.5, got 0\.6"),
    (train_skipgram, {"checkpoint_every": -1}, "checkpoint_every must be at least 0, got -1; the default is 10"),
    (train_skipgram, {"checkpoint_every": -math.inf}, "checkpoint_every must be at least 0, got -inf"),
    # words, flags, sizes, paths
    (cooccurrence_counts, {"weighting": "triangle"}, "weighting must be 'distance' or 'uniform', got 'triangle'"),
    (train_glove, {"vectors": "both"}, "vectors must be 'sum', 'word' or 'context', got 'both'"),
    (train_cbow, {"cbow_update": True}, "cbow_update must be 'word2vec' or 'corrected', got True"),
    (train_cbow, {"hs": "yes"}, "hs must be True or False, got 'yes'"),
    (train_skipgram, {"hs": 1}, "hs must be True or False, got 1"),
    (train_glove, {"memory": 5}, r"memory must be a size of at least 1\.0 MB, as 500M or 4G, got 5"),
    (cooccurrence_counts, {"memory": "a lot"}, r"memory must be a size of at least 1\.0 MB, .*, got 'a lot'"),
    (cooccurrence_counts, {"memory": np.int64(5)}, r"memory must be a size of at least 1\.0 MB, .*, got np.int64\(5\)"),
    (train_glove, {"memory": [5]}, r"memory must be an int or str, got list"),
    (cooccurrence_counts, {"cache": 5}, "cache must be a path, got int"),
    # settings that need others
    (train_cbow, {"negative": 0}, "negative must be at least 1, got 0; without negative samples use hs"),
    (train_skipgram, {"freeze": True}, "freeze keeps the vectors of init as they are; name their file with init"),
    (train_glove, {"freeze": True}, "freeze keeps the vectors of init as they are; name their file with init"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "settings", "message"), REFUSED, ids=lambda value: getattr(value, "__name__", str(value))[:40]
)
def test_settings_out_of_range_are_refused_before_anything_is_read(function, settings, message):
    with refused(f"^{message}", SettingError):
        function(unreadable(), progress=False, **settings)


@pytest.mark.parametrize("function", [train_skipgram, train_cbow, train_glove, cooccurrence_counts])
def test_settings_without_a_default_may_be_none(function):
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        assert (parameter.default is None) == ("None" in parameter.annotation), name


@pytest.mark.parametrize(("function", "name"), [(plan_skipgram, "nonsense"), (cooccurrence_counts, "nonsense")])
def test_a_wrong_name_is_a_type_error(function, name):
    with pytest.raises(TypeError, match=rf"^{function.__name__}\(\) got an unexpected keyword argument '{name}'$"):
        function(unreadable(), **{name: 5})


HINTS = [
    (train_skipgram, {"vector_size": 5}, "an unexpected keyword argument 'vector_size': use dim"),
    (train_cbow, {"iter": 5}, "'iter': use epochs"),
    (plan_skipgram, {"size": 5}, "'size': use dim"),
    (train_glove, {"workers": 4}, "'workers': use threads"),
    (train_glove, {"minCount": 4}, "'minCount': use min_count"),
    (cooccurrence_counts, {"ws": 4}, "'ws': use window"),
    (train_skipgram, {"sg": 1}, "'sg': the model is the function: train_skipgram, train_cbow or train_glove"),
    (train_skipgram, {"alpha": 0.05}, "use lr=0.05"),
    (train_skipgram, {"sentences": [["a"]] * 9}, "'sentences': the corpus is the first argument, without a name"),
    (train_skipgram, {"output": "x.vec"}, "the result has the method save"),
    (train_glove, {"vocab": "w"}, "use read_vocab='w', or in glove words='w' for the words of counts"),
    (train_skipgram, {"lowercase": True}, "it is an option of Corpus, as in Corpus(path, lowercase=True)"),
    (train_cbow, {"min_counts": 5}, "'min_counts': use min_count"),
    (train_glove, {"subwords": "3-6"}, "'subwords': it is a setting of train_cbow, train_skipgram and train_item2vec"),
    (cooccurrence_counts, {"x_max": 5}, "'x_max': it is a setting of train_glove"),
    (train_cbow, {"size": 5, "what": 1, "seeds": 1},
     "an unexpected keyword argument 'size': use dim; 'what'; 'seeds': use seed"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "settings", "message"), HINTS)
def test_names_of_other_programs_and_misspellings_name_ours(function, settings, message):
    with pytest.raises(TypeError, match=rf"^{function.__name__}\(\) got .*{re.escape(message)}$"):
        function(unreadable(), **settings)


def test_hints_name_only_settings_of_the_function():
    with pytest.raises(TypeError, match=r"argument 'alpha': it is a setting of train_glove$"):
        cooccurrence_counts(unreadable(), alpha=1)
