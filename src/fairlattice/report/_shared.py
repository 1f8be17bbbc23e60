"""What other rooms use of this one, beside its public names.

Loaded when first used, as the front door is; ``_shared.pyi`` says the same to type checkers.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    "fairlattice.report",
    submod_attrs={
        "_charts": ["chart_png"],
        "_list_bench": ["bench_list_text", "dataset_card"],
        "_tables_bench": ["BENCH_FORMATS", "bench_table"],
        "_text_audit": ["audit_text"],
        "_text_bench": ["bench_text"],
        "_text_compare": ["compare_text"],
        "_text_diagnose": ["diagnose_text"],
    },
)
