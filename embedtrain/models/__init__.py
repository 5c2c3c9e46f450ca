"""The models, a file each: settings, tables, and what a worker does."""

from embedtrain.models.cbow import Cbow
from embedtrain.models.glove import Glove
from embedtrain.models.skipgram import SkipGram

#: The settings of every model. Each makes a command of its name.
MODELS = (SkipGram, Cbow, Glove)
