from ._card import data_card, model_card
from ._page import figures, to_html
from ._report import Report
from ._summary import to_json
from ._summary_audit import audit_summary
from ._summary_augment import augment_summary
from ._summary_bench import bench_summary
from ._summary_compare import compare_summary
from ._summary_diagnose import diagnose_summary

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
