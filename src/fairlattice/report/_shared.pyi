from ._bench_tables import BENCH_FORMATS, bench_table
from ._charts import chart_png
from ._list_bench import bench_list_text, dataset_card

__all__ = ["BENCH_FORMATS", "bench_list_text", "bench_table", "chart_png", "dataset_card"]
