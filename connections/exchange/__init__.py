"""Definitions in files: read them, say what they would change, apply them, write them.

document      a file becomes rows of raw values, each with its place
strict_yaml   YAML with the scalars of JSON; sheet: CSV, one row a connection
foreign       the words of other systems, one table each
plan          what each row would do; apply
writing       rows become a file again
"""
