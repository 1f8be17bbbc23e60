"""Reports: JSON is the report; text renders it for a terminal, a page for handing over."""

from fairlattice.report._card import chosen_strategy, data_card, model_card
from fairlattice.report._charts import chart_png
from fairlattice.report._list_bench import bench_list_text, dataset_card
from fairlattice.report._page import figures, to_html
from fairlattice.report._report import Report
from fairlattice.report._summary import compare_summary, to_json
from fairlattice.report._summary_audit import audit_summary
from fairlattice.report._summary_augment import augment_summary
from fairlattice.report._summary_bench import bench_summary
from fairlattice.report._summary_diagnose import diagnose_summary
from fairlattice.report._tables_bench import BENCH_FORMATS, bench_table
from fairlattice.report._text_audit import audit_text
from fairlattice.report._text_bench import bench_text
from fairlattice.report._text_compare import compare_text
from fairlattice.report._text_diagnose import diagnose_text

__all__ = [
    "BENCH_FORMATS",
    "Report",
    "audit_summary",
    "audit_text",
    "augment_summary",
    "bench_list_text",
    "bench_summary",
    "bench_table",
    "bench_text",
    "chart_png",
    "chosen_strategy",
    "compare_summary",
    "compare_text",
    "data_card",
    "dataset_card",
    "diagnose_summary",
    "diagnose_text",
    "figures",
    "model_card",
    "to_html",
    "to_json",
]
