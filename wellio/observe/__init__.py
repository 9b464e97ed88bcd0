"""Observe: what the program says about itself.

`log.py` and `redaction.py` are its logs, `metrics.py` and `looplag.py` its figures, `doctor.py` and
`findings.py` what an examination finds.
"""
