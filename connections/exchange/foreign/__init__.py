"""Definitions in the words of the systems that people come from: Primeur, IConduct, ASTERIA Warp.

`systems` names them and chooses the form of a row, `vocabulary` translates, `words` are the rows of the one mapping
table, from which `docs/import.md` is made (`page`).
"""
