"""The pipeline language: a closed, typed description of an ETL job. Pure: no file, no database, no network.

`language` reads a spec strictly, `expressions` are its SQL scalar expressions, `flow` follows columns and types from
the sources to the sink and says, before anything runs, what cannot be.
"""
