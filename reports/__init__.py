"""Reports: the cost of a network on a target, and the source of each figure."""

from sephw.reports.assemble import FILES, read_export, refresh, report_of_export, write_report
from sephw.reports.build import Findings, Subject, build_report, model_bytes
from sephw.reports.estimates import Estimates, estimate_graph
from sephw.reports.html import render_html
from sephw.reports.matrix import read_verification
from sephw.reports.model import Figure, LayerReport, Report, Source, Total
from sephw.reports.numbers import number
from sephw.reports.plain import as_dict
from sephw.reports.provenance import Provenance, read_provenance
from sephw.reports.text import render_overview, render_text, slowest_table

__all__ = [
    "FILES",
    "Estimates",
    "Figure",
    "Findings",
    "LayerReport",
    "Provenance",
    "Report",
    "Source",
    "Subject",
    "Total",
    "as_dict",
    "build_report",
    "estimate_graph",
    "model_bytes",
    "number",
    "read_export",
    "read_provenance",
    "read_verification",
    "refresh",
    "render_html",
    "render_overview",
    "render_text",
    "report_of_export",
    "slowest_table",
    "write_report",
]
