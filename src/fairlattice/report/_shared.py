"""Names for other packages of the library, not public: listed in ``_shared.pyi``, loaded when first used."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub("fairlattice.report", __file__)
