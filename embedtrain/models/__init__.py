"""The models: settings, tables, and workers of each."""

from embedtrain.models.cbow import Cbow
from embedtrain.models.glove import Glove
from embedtrain.models.skipgram import SkipGram

#: The settings of every model; each has a command of its name.
MODELS = (SkipGram, Cbow, Glove)
