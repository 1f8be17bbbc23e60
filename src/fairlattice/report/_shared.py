"""What other rooms use of this one, beside its public names."""

from fairlattice.report._charts import chart_png
from fairlattice.report._list_bench import bench_list_text, dataset_card
from fairlattice.report._tables_bench import BENCH_FORMATS, bench_table
from fairlattice.report._text_audit import audit_text
from fairlattice.report._text_bench import bench_text
from fairlattice.report._text_compare import compare_text
from fairlattice.report._text_diagnose import diagnose_text

__all__ = [
    "BENCH_FORMATS",
    "audit_text",
    "bench_list_text",
    "bench_table",
    "bench_text",
    "chart_png",
    "compare_text",
    "dataset_card",
    "diagnose_text",
]
