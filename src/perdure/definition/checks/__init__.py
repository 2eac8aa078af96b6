"""Validation of definitions: every fault at once, each with its place and words that help.

A check takes a decoded value, its JSON Pointer and the report to write into. Checks are built from the
shapes in `shapes` and mirror the sections of the DSL reference, one file each.
"""
