"""Fair classifiers at the intersections of sensitive attributes, where data runs out."""

__version__ = "0.1.0"
