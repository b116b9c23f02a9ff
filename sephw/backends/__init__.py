"""Backends: each turns a hardware graph into a project for another tool."""
