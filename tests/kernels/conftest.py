import pytest
from small_text import small_sampling, small_text


@pytest.fixture(scope="module")
def text():
    """Sentences over few words."""
    return small_text()


@pytest.fixture(scope="module")
def sampling():
    """Which of their tokens are kept, and how noise is drawn."""
    return small_sampling()
