"""The role `core`: the step that normalises, checks, numbers and tracks each event.

Pure but for `role`, which runs it on the engine, and `catalogue_copy`, which follows two topics.
"""
