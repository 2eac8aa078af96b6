"""From a valid document to a program: expressions found, names under ``use`` resolved, defaults filled in.

Nothing is validated here; a document that `checks` has not accepted may raise anything.
"""
