"""Reports: what a network costs on a target, and where each figure comes from."""

from reports.build import build_report, model_bytes
from reports.model import Figure, LayerReport, Report, Source, Total
from reports.plain import as_dict
from reports.text import number, render_text, slowest_table

__all__ = [
    "Figure",
    "LayerReport",
    "Report",
    "Source",
    "Total",
    "as_dict",
    "build_report",
    "model_bytes",
    "number",
    "render_text",
    "slowest_table",
]
