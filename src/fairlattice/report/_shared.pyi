from ._charts import chart_png
from ._list_bench import bench_list_text, dataset_card
from ._tables_bench import BENCH_FORMATS, bench_table
from ._text_audit import audit_text
from ._text_bench import bench_text
from ._text_compare import compare_text
from ._text_diagnose import diagnose_text

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
