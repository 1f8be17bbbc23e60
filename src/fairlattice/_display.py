"""Results show as their page in a notebook.

Rooms do not import upwards, and the page is made on the highest floor but one. So what displays itself names the room
of reports, which is loaded when a notebook asks.
"""

from __future__ import annotations

from importlib import import_module


class ShowsAsPage:
    """A result that a notebook shows as its page."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        report = import_module("fairlattice.report").Report
        return str(report.of(self)._repr_html_())
