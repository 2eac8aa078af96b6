"""The kinds of tasks: how each begins, and how it goes on when something within it has ended.

`begin` and its like answer the raw output, by reference, or None where the activity goes on.
"""
