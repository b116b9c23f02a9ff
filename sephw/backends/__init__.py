"""Backends: a hardware graph becomes a project for another tool."""
