"""Encoders: mixed tables to vectors and back to valid rows; texts and images to vectors.

Names are listed in ``__init__.pyi`` and loaded when first used: most tables have no texts or images.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
