"""The peer of `bench.listing`: a plain Django REST framework project with one list, as its manual would write it."""
