"""The models: settings, tables, and workers of each."""

from embedtrain.models.cbow import Cbow
from embedtrain.models.glove import Glove
from embedtrain.models.item2vec import Item2vec
from embedtrain.models.lsa import Lsa
from embedtrain.models.node2vec import Node2vec
from embedtrain.models.skipgram import SkipGram
from embedtrain.models.svd import Svd

#: The settings of every model of text; each has a command of its name.
MODELS = (SkipGram, Cbow, Glove, Item2vec, Svd, Lsa)
#: Those of models of other data.
OTHERS = (Node2vec,)
