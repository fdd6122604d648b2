"""Batches: one act on many things, performed by the dispatcher a few at a time, with a result for each.

`services` alone writes batches and their items. It is not imported here: the models of this package load with
those of the app.
"""
