"""Fair classifiers at the intersections of sensitive attributes, where data runs out.

The public names are listed in ``__init__.pyi`` and loaded when first used, so that importing
the package is quick and pulls in no frame library.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
