"""Reports: JSON is the report; text renders it for a terminal."""

from fairlattice.report._summary import compare_summary, to_json
from fairlattice.report._summary_audit import audit_summary
from fairlattice.report._text_audit import audit_text
from fairlattice.report._text_compare import compare_text

__all__ = ["audit_summary", "audit_text", "compare_summary", "compare_text", "to_json"]
