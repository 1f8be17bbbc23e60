"""Reports: one :class:`Report` of every result, as JSON, text, page, Markdown and figures.

Names are listed in ``__init__.pyi`` and loaded when first used: an audit need not wait for what comparisons need.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
