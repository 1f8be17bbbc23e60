from ._images import ImageEncoder
from ._sentences import SentenceEncoder
from ._table import TableEncoder
from ._text import TextEncoder
from ._text_table import TextTableEncoder

__all__ = ["ImageEncoder", "SentenceEncoder", "TableEncoder", "TextEncoder", "TextTableEncoder"]
