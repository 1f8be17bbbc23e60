"""Strategies side by side on the same splits, and whether what they make can be trusted.

Names are listed in ``__init__.pyi`` and loaded when first used: a comparison need not wait for what experiments need.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
