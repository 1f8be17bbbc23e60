"""Reports: JSON is the report; text renders it for a terminal, a page for handing over."""

from fairlattice.report._card import data_card, model_card
from fairlattice.report._page import figures, to_html
from fairlattice.report._report import Report
from fairlattice.report._summary import to_json
from fairlattice.report._summary_audit import audit_summary
from fairlattice.report._summary_augment import augment_summary
from fairlattice.report._summary_bench import bench_summary
from fairlattice.report._summary_compare import compare_summary
from fairlattice.report._summary_diagnose import diagnose_summary

__all__ = [
    "Report",
    "audit_summary",
    "augment_summary",
    "bench_summary",
    "compare_summary",
    "data_card",
    "diagnose_summary",
    "figures",
    "model_card",
    "to_html",
    "to_json",
]
